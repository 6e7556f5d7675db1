import { ownMember, scopesOf } from "../core/auth/claims.ts";
import { chooseKey, type PublicKey } from "../core/auth/keys.ts";
import type { Principal } from "../core/auth/principal.ts";
import { recent } from "../core/auth/recent.ts";
import type { Refusal } from "../core/auth/refusal.ts";
import { isSigned, type VerifyingKey, verifyingKey } from "./signature.ts";
import { mostTokenLength, readToken, type ShownToken, tokenFault, type TokenFault, untilOf } from "../core/auth/token.ts";
import type { Algorithm, CompiledJwtProvider } from "../core/config/compiled-auth.ts";
import type { Keep, Ports } from "../proxy/ports.ts";
import { type KeySets, keySets } from "./key-sets.ts";
import type { Introduce } from "./introduce.ts";
import { sha256Hex } from "./sha256.ts";

/** Judges the token that a call shows in one place: who it is, or why it is nobody. At once where it was verified lately. */
export type JudgeToken = (text: string, keep: Keep) => Promise<Principal | Refusal> | Principal | Refusal;

interface Issuer {
  readonly provider: CompiledJwtProvider;
  /** Index in the config's providers. */
  readonly index: number;
  readonly keys: KeySets;
  /** Keys as the runtime has them, by the key and the algorithm. */
  readonly imported: WeakMap<PublicKey, Map<Algorithm, VerifyingKey>>;
}

interface Verified {
  readonly principal: Principal;
  readonly issuer: Issuer;
  readonly key: PublicKey;
}

const mostVerified = { count: 4000, bytes: 8 * 1024 * 1024 };
/** Hashes of tokens that came more than once: to hash one again costs a tenth of a call. */
const mostHashed = { count: 1000, bytes: 2 * 1024 * 1024 };

/** Judges tokens of the providers whose tokens stand in one place; `from` is what that place is called. */
export function tokenJudge(providers: readonly { readonly provider: CompiledJwtProvider; readonly index: number }[], from: string, introduce: Introduce, ports: Ports): JudgeToken {
  const issuers = providers.map(({ provider, index }): Issuer => ({ provider, index, keys: keySets(provider, ports), imported: new WeakMap() }));
  const verified = recent<Verified>(mostVerified);
  const hashed = recent<string>(mostHashed);
  const refuse = (fault: TokenFault): Refusal => ({ kind: "token", fault, from });

  /** A verified token counts as long as its key does. */
  function remembered(fingerprint: string, keep: Keep): Principal | undefined {
    const known = verified.get(fingerprint, ports.now());
    if (known === undefined) return undefined;
    known.issuer.keys.renew(keep);
    if (known.issuer.keys.current()?.some(({ id }) => id === known.key.id) === true) return known.principal;
    verified.delete(fingerprint);
    return undefined;
  }

  /** The key that a token must have been signed with: at once where it is known, or why there is none. */
  function keyFor({ alg, kid }: ShownToken, { keys }: Issuer, keep: Keep): ReturnType<KeySets["find"]> | PublicKey {
    keys.renew(keep);
    const known = chooseKey(keys.current() ?? [], alg as Algorithm, kid);
    return typeof known === "string" ? keys.find(alg as Algorithm, kid, keep) : known;
  }

  async function isGenuine(token: ShownToken, key: PublicKey, { imported }: Issuer): Promise<boolean> {
    const alg = token.alg as Algorithm;
    try {
      const known = imported.get(key)?.get(alg);
      if (known !== undefined) return await isSigned(token.text, known, alg);
      const ready = await verifyingKey(key, alg);
      imported.set(key, (imported.get(key) ?? new Map<Algorithm, VerifyingKey>()).set(alg, ready));
      return await isSigned(token.text, ready, alg);
    } catch (error) {
      ports.log({ level: "warn", event: "key-unusable", kid: key.kid, alg, error: String(error) });
      return false;
    }
  }

  async function judge(text: string, keep: Keep): Promise<Principal | Refusal> {
    const fingerprint = await sha256Hex(text);
    const known = remembered(fingerprint, keep);
    if (known !== undefined) {
      hashed.set(text, fingerprint, known.until, text.length + 300);
      return known;
    }
    const token = readToken(text);
    if (typeof token === "string") return refuse(token);
    const now = ports.now();
    // Of providers with one issuer the one that the token is meant for; where none is, the last one's reason is told.
    const candidates = issuers.filter(({ provider }) => provider.issuer === token.issuer);
    const faults = candidates.map(({ provider }) => tokenFault(token, provider, now));
    const issuer = candidates[faults.indexOf(undefined)];
    if (issuer === undefined) return refuse(faults.at(-1) ?? "issuer");

    const found = keyFor(token, issuer, keep);
    const key = found instanceof Promise ? await found : found;
    if (typeof key === "string") return refuse(key);
    if ("failure" in key) return { kind: "keys-unavailable", provider: issuer.provider.name, cause: key.failure };
    if (!(await isGenuine(token, key, issuer))) return refuse("signature");
    const principal = principalOf(token, issuer, fingerprint);
    verified.set(fingerprint, { principal, issuer, key }, principal.until, text.length * 4 + 1000);
    return principal;
  }

  function principalOf({ claims }: ShownToken, { provider, index }: Issuer, fingerprint: string): Principal {
    const until = untilOf(ownMember(claims, "exp") as number, provider.clockSkewMs);
    const subject = (ownMember(claims, "sub") ?? "") as string;
    return introduce({ provider: index, subject, scopes: scopesOf(claims, provider.scopesClaim), claims, fingerprint, until });
  }

  return (text, keep) => {
    if (text.length > mostTokenLength) return refuse("size");
    const fingerprint = hashed.get(text, ports.now());
    return (fingerprint === undefined ? undefined : remembered(fingerprint, keep)) ?? judge(text, keep);
  };
}
