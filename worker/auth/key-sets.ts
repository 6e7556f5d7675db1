import { strictJson } from "../core/auth/json.ts";
import { chooseKey, type KeySet, type PublicKey, readKeySet } from "../core/auth/keys.ts";
import type { Algorithm, CompiledJwtProvider } from "../core/config/compiled-auth.ts";
import { utf8 } from "../core/protocol/envelope.ts";
import type { Keep, Ports } from "../proxy/ports.ts";
import { decodeKeys, encodeKeys, type FetchedKeys, fetchKeys, keysKey } from "./key-source.ts";
import { sleep, within } from "../proxy/within.ts";

/** A provider's keys. */
export interface KeySets {
  /** The keys that count now; undefined where they have to be waited for with `freshen`. */
  current(): KeySet | undefined;
  /** Has old keys renewed beside the call that uses them. */
  renew(keep: Keep): void;
  /** The key for a token, waited for where it has to be. */
  find(alg: Algorithm, kid: string | undefined, keep: Keep): Promise<PublicKey | "unknown-key" | "many-keys" | { readonly failure: string }>;
}

type KeysPorts = Pick<Ports, "fetch" | "store" | "after" | "now" | "random" | "log">;

/** Older keys are renewed while they are used. */
const freshMs = 300_000;
/** Older ones are not used before it was tried to renew them: a key that was withdrawn is gone by then. */
const staleMs = 900_000;
/** So long after keys were fetched, by whichever isolate, an unknown kid does not have them fetched again. */
const coolDownMs = 30_000;
/** So long after a fetch failed none is tried. */
const backOffMs = 5000;
/** So long after a fetch failed old keys are used without waiting for the next one: an outage slows no call down. */
const patienceMs = 60_000;
/** A renewal that has not ended by then was dropped by the runtime: discovery, keys and store, each in their time. */
const longestMs = 6000;
const storeMs = 500;
const lookEveryMs = 15;

/** Opens the keys of a provider: memory, then the store that isolates share, then the provider itself. */
export function keySets(provider: CompiledJwtProvider, ports: KeysPorts): KeySets {
  const { keys } = provider;
  return keys.from === "inline" ? inlineKeys(readKeySet(strictJson(utf8(keys.jwks))) ?? []) : remoteKeys(provider, keys, ports);
}

function inlineKeys(set: KeySet): KeySets {
  return { current: () => set, renew: () => {}, find: (alg, kid) => Promise.resolve(chooseKey(set, alg, kid)) };
}

function remoteKeys(provider: CompiledJwtProvider, keys: Parameters<typeof fetchKeys>[2], ports: KeysPorts): KeySets {
  const { now, store } = ports;
  // If it ended for all isolates at once, all would fetch before the first one could tell the others.
  const ownCoolDownMs = coolDownMs * (1 + ports.random() / 5);
  let held: FetchedKeys | undefined;
  let cause = "they were not fetched yet";
  /** When the renewal began that is under way, when one failed last, and when the store was last asked for an unknown kid. */
  let busySince = -Infinity;
  let failedAt = -Infinity;
  let askedAt = -Infinity;

  const since = (at: number): number => Math.abs(now() - at);
  const usable = (): FetchedKeys | undefined => (held !== undefined && since(held.at) < provider.keysKeptMs ? held : undefined);
  const current = (): KeySet | undefined => (since(held?.at ?? -Infinity) < staleMs || since(failedAt) < patienceMs ? usable()?.set : undefined);
  const isBusy = (): boolean => since(busySince) < longestMs;

  async function fromStore(): Promise<FetchedKeys | undefined> {
    if (store === null) return undefined;
    try {
      const bytes = await within(ports, storeMs, store.get(keysKey(provider.name)));
      return bytes === null ? undefined : decodeKeys(provider, bytes);
    } catch (error) {
      ports.log({ level: "warn", event: "keys-store-unavailable", provider: provider.name, error: String(error) });
      return undefined;
    }
  }

  /** Takes what is younger than what is held; a clock that runs ahead elsewhere does not make keys younger than now. */
  function take(found: FetchedKeys | undefined): void {
    if (found !== undefined && found.at <= now() + coolDownMs && (held === undefined || found.at > held.at)) held = found;
  }

  /** Renews keys that are older than `maxAgeMs`, by whoever has younger ones. */
  async function renewal(maxAgeMs: number, keep: Keep): Promise<void> {
    take(await fromStore());
    if (held !== undefined && since(held.at) < maxAgeMs) return;
    const fetched = await fetchKeys(ports, provider.issuer, keys);
    if ("failure" in fetched) {
      [failedAt, cause] = [now(), fetched.failure];
      return ports.log({ level: "warn", event: "keys-unavailable", provider: provider.name, cause });
    }
    held = fetched;
    failedAt = -Infinity;
    if (store !== null) keep(within(ports, storeMs * 4, store.put(keysKey(provider.name), encodeKeys(provider, fetched))).catch((error: unknown) => ports.log({ level: "warn", event: "keys-store-unavailable", provider: provider.name, error: String(error) })));
  }

  /** One renewal at a time; whoever comes meanwhile waits by a timer of its own, since on workerd no call may wait for another's promise. */
  async function renewOnce(maxAgeMs: number, keep: Keep): Promise<void> {
    if (isBusy()) {
      while (isBusy()) await sleep(ports, lookEveryMs);
      return;
    }
    busySince = now();
    const renewing = renewal(maxAgeMs, keep).finally(() => {
      busySince = -Infinity;
    });
    keep(renewing);
    await renewing;
  }

  return {
    current,
    renew(keep) {
      if (held === undefined || since(held.at) < freshMs || current() === undefined) return;
      if (!isBusy() && since(failedAt) >= backOffMs) keep(renewOnce(freshMs, keep));
    },
    async find(alg, kid, keep) {
      if (current() === undefined && since(failedAt) >= backOffMs) await renewOnce(freshMs, keep);
      const known = usable();
      if (known === undefined) return { failure: cause };
      const key = chooseKey(known.set, alg, kid);
      if (key !== "unknown-key") return key;
      if (isBusy()) await renewOnce(coolDownMs, keep);
      else if (since(known.at) >= ownCoolDownMs && since(askedAt) >= ownCoolDownMs) {
        askedAt = now();
        await renewOnce(coolDownMs, keep);
      }
      return chooseKey(usable()?.set ?? [], alg, kid);
    },
  };
}
