import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

/** A certificate and its private key, in PEM. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

export interface Authority extends Certificate {
  /** Issues one for a name; for this machine's own address too where it is a server's. */
  issue(name: string): Certificate;
}

/** An authority of the test's own, good for an hour: https://www.rfc-editor.org/rfc/rfc5280#section-4.1 */
export function authority(name: string): Authority {
  const own = keyPair();
  const write = (subject: string, subjectKey: KeyObject, extensions: Uint8Array): string => {
    const algorithm = sequence(oid(42, 134, 72, 206, 61, 4, 3, 2));
    const until = sequence(time(-60_000), time(3_600_000));
    const body = sequence(der(0xa0, integer(2)), der(0x02, Uint8Array.of(1), randomBytes(8)), algorithm, called(name), until, called(subject), subjectKey.export({ type: "spki", format: "der" }), der(0xa3, extensions));
    const whole = sequence(body, algorithm, bits(sign("sha256", body, own.privateKey)));
    return `-----BEGIN CERTIFICATE-----\n${Buffer.from(whole).toString("base64").match(/.{1,64}/g)!.join("\n")}\n-----END CERTIFICATE-----\n`;
  };
  const constraints = (isAuthority: boolean) => extension([85, 29, 19], isAuthority ? sequence(der(0x01, Uint8Array.of(0xff))) : sequence());
  const names = extension([85, 29, 17], sequence(der(0x82, text("localhost")), der(0x87, Uint8Array.of(127, 0, 0, 1))));
  return {
    certificate: write(name, own.publicKey, sequence(constraints(true))),
    key: pem(own.privateKey),
    issue(subject) {
      const pair = keyPair();
      return { certificate: write(subject, pair.publicKey, sequence(constraints(false), names)), key: pem(pair.privateKey) };
    },
  };
}

function keyPair() {
  return generateKeyPairSync("ec", { namedCurve: "P-256" });
}

function pem(key: KeyObject): string {
  return String(key.export({ type: "pkcs8", format: "pem" }));
}

function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const value = Buffer.concat(parts);
  const length = value.length < 128 ? [value.length] : value.length < 256 ? [0x81, value.length] : [0x82, value.length >> 8, value.length & 255];
  return Buffer.concat([Uint8Array.of(tag, ...length), value]);
}

const sequence = (...parts: readonly Uint8Array[]) => der(0x30, ...parts);
const oid = (...bytes: readonly number[]) => der(0x06, Uint8Array.from(bytes));
const integer = (value: number) => der(0x02, Uint8Array.of(value));
const bits = (value: Uint8Array) => der(0x03, Uint8Array.of(0), value);
const text = (value: string) => new TextEncoder().encode(value);
const called = (name: string) => sequence(der(0x31, sequence(oid(85, 4, 3), der(0x0c, text(name)))));
const extension = (id: readonly number[], value: Uint8Array) => sequence(oid(...id), der(0x04, value));

/** As 20261231235959Z, so long from now. */
function time(fromNow: number): Uint8Array {
  return der(0x18, text(new Date(Date.now() + fromNow).toISOString().replace(/\.\d+/, "").replaceAll(/[-:T]/g, "")));
}
