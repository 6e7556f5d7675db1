import { describe, expect, it } from "vitest";
import { readPlace } from "../../worker/core/balance/place.ts";
import { connectionFacts } from "../../worker/runtime/cloudflare/facts.ts";

const facts = (cf?: Record<string, unknown>) => connectionFacts({ cf, headers: new Headers({ "cf-connecting-ip": "6.6.6.6" }), signal: new AbortController().signal }, { waitUntil: () => {} });

describe("on Cloudflare", () => {
  const cf = { colo: "FRA", latitude: "50.11", longitude: "8.68", country: "DE", continent: "EU", asn: 3320 };
  it("a caller's address is in the header that Cloudflare writes", () => expect(facts(cf).clientAddress()).toBe("6.6.6.6"));
  it("its place comes as text", () => expect(readPlace(facts(cf).place()!)).toEqual({ at: { lat: 50.11, lng: 8.68 }, country: "DE", continent: "EU" }));
  it("Tor has no country, and a place that is missing is nowhere, whatever headers say", () => {
    expect(readPlace(facts({ colo: "FRA", country: "T1", latitude: "" }).place()!)).toEqual({ at: undefined, country: undefined, continent: undefined });
    expect(readPlace(facts({ colo: "FRA" }).place()!)).toEqual({ at: undefined, country: undefined, continent: undefined });
  });
});

describe("on a workerd of one's own", () => {
  it.each([["127.0.0.1:4711", "127.0.0.1"], ["[::1]:4711", "::1"]])("a caller's address is the other end of the connection, %s, whatever a header says", (clientIp, address) => {
    expect(facts({ clientIp }).clientAddress()).toBe(address);
  });
  it("that does not tell it, nobody knows it", () => expect(facts().clientAddress()).toBeNull());
  it("nobody knows its place", () => expect(facts({ clientIp: "127.0.0.1:1" }).place()).toBeNull());
});

describe("a client certificate", () => {
  const good = { certPresented: "1", certVerified: "SUCCESS", certRevoked: "0", certFingerprintSHA256: "AB12", certSubjectDN: "CN=a" };
  const told = (tlsClientAuth: unknown, rest = { colo: "FRA" } as Record<string, unknown>) => facts({ ...rest, tlsClientAuth }).clientCertificate();

  it("counts where Cloudflare has verified it", () => expect(told(good)).toEqual({ sha256: "ab12", subject: "CN=a" }));
  it.each([{ certPresented: "0" }, { certVerified: "NONE" }, { certVerified: "FAILED:self signed certificate" }, { certVerified: "success" }, { certVerified: undefined }, { certRevoked: "1" }])("does not with %o", (odd) => {
    expect(told({ ...good, ...odd })).toBeNull();
  });
  it("does not where none is told, or somebody else than Cloudflare tells", () => {
    expect([told(undefined), told(null), told(good, {})]).toEqual([null, null, null]);
  });
});
