import { type Attack, attack, bearer } from "./attack.ts";
import { badServices } from "./config.ts";
import { by, forge } from "./forge.ts";
import { claims, header, keys, token } from "./parties.ts";

const asks = (name: string, want: string, code: Attack["code"], service = "Asked") =>
  attack(name, () => ({ fields: [["authorization", `Bearer ${token()}`], ["x-want", want]] }), { service, code });

/** Sets that have a key which counts for something, but not for this: the token is wrong then, and not the provider. */
const withKey = new Set(["twice", "own-alg", "encryption-alg"]);

/** Tokens that are signed well, with a key that its provider serves in a way that does not count. */
export const keySetAttacks: readonly Attack[] = badServices.map(({ name, service, issuer }) => {
  const key = name === "weak" ? keys.weak : keys.main;
  const made = () => (name === "oct" ? forge(header({ alg: "HS256" }), claims({ iss: issuer }), by(key)) : forge(header({}, key), claims({ iss: issuer }), by(key)));
  return bearer(`a key set that is ${name}`, made, { service: service.slice("guard.v1.".length), code: withKey.has(name) || name === "oct" || name === "none" ? "unauthenticated" : "unavailable" });
});

/** Somebody else is asked, and does not say yes. */
export const authorizerAttacks: readonly Attack[] = [
  asks("an authorizer that denies", "deny", "permission_denied"),
  asks("an authorizer that says neither yes nor no", "nothing", "permission_denied"),
  asks("an authorizer that is silent", "silence", "unavailable"),
  asks("an authorizer that talks garbage", "garbage", "unavailable"),
  asks("an authorizer that talks HTML", "html", "unavailable"),
  asks("an authorizer that talks JSON", "json", "unavailable"),
  asks("an authorizer that says yes with HTTP 500", "500", "unavailable"),
  asks("an authorizer that answers with an error", "error", "permission_denied"),
  asks("an open authorizer that denies by an error", "error", "permission_denied", "AskedOpen"),
  asks("an open authorizer that fails", "500", "unavailable", "AskedOpen"),
  asks("an open authorizer that denies by HTTP 530", "530", "unavailable", "AskedOpen"),
  asks("an authorizer that is elsewhere", "redirect", "unavailable"),
  asks("an authorizer that says too much", "large", "unavailable"),
  asks("an authorizer that breaks off", "cut", "unavailable"),
  asks("an authorizer that hangs up", "reset", "unavailable"),
  asks("an authorizer that is down", "", "unavailable", "AskedDown"),
  asks("an open authorizer that denies", "deny", "permission_denied", "AskedOpen"),
  asks("an open authorizer that says neither yes nor no", "nothing", "permission_denied", "AskedOpen"),
  asks("an open authorizer that talks garbage", "garbage", "unavailable", "AskedOpen"),
  asks("an open authorizer that says too much", "large", "unavailable", "AskedOpen"),
  attack("an authorizer that would say yes, without a token", () => ({ fields: [["x-want", "allow"]] }), { service: "Asked" }),
  attack("an open authorizer that is down, without a token", () => ({}), { service: "AskedDownOpen" }),
  attack("an open authorizer that is down, with a bad token", () => ({ fields: [["authorization", `Bearer ${token({ exp: 1 })}`]] }), { service: "AskedDownOpen" }),
];
