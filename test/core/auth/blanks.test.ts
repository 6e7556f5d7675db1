import { expect, it } from "vitest";
import { forwardedCertificate } from "../../../worker/core/auth/certificate.ts";
import { cookieOf, withoutCookies } from "../../../worker/core/auth/cookie.ts";
import { Fields } from "../../../worker/core/protocol/fields.ts";
import { grpcMessageEncode } from "../../../worker/core/protocol/grpc-message.ts";

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

it("a status message and a header's value with a long row of blanks are written all the same", () => {
  expect(grpcMessageEncode(` a${blanks}b `)).toBe(`%20a${blanks}b%20`);
  const fields = new Fields();
  fields.set("x", ` a${blanks}b `);
  expect(fields.get("x")).toBe(`a${blanks}b`);
});

it("a hundred thousand cookies are kept, in their order", () => {
  const fields = new Fields();
  for (let i = 0; i < 100_000; i++) fields.append("set-cookie", `a=${i}`);
  expect([fields.getSetCookie().length, fields.getSetCookie().at(-1)]).toEqual([100_000, "a=99999"]);
});
