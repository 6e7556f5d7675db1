import { expect, it } from "vitest";
import { forwardedCertificate } from "../../../worker/core/auth/certificate.ts";
import { cookieOf, withoutCookies } from "../../../worker/core/auth/cookie.ts";

// An expression that takes the square of the time for them would take minutes.
const blanks = " ".repeat(300_000);

it("a cookie header with a long row of blanks is read all the same", () => {
  expect(cookieOf(`a=1${blanks}x; session=s`, "session")).toEqual({ value: "s" });
  expect(cookieOf(`${blanks}session=s${blanks}`, "session")).toEqual({ value: "s" });
  expect(withoutCookies(`session=s;a=1${blanks}x`, ["session"])).toBe(`a=1${blanks}x`);
});

it("so is what a front tells of a certificate", () => {
  expect(forwardedCertificate(`Hash=a${blanks}"`)).toBeUndefined();
  expect(forwardedCertificate(`Hash=AB${blanks};Subject="CN=a\\"b" `)).toEqual({ sha256: "ab", subject: 'CN=a"b' });
});
