import type { Claims } from "./claims.ts";

/** Somebody for whom a provider has vouched. */
export interface Principal {
  /** Index in the config's providers, and its name. */
  readonly provider: number;
  readonly providerName: string;
  /** Of a token `sub`, of an API key or a certificate its name. */
  readonly subject: string;
  readonly scopes: readonly string[];
  readonly claims: Claims;
  /** What stands for all of this in a key: two principals that differ in anything differ in it. */
  readonly fingerprint: string;
  /** From when on it is nobody any more, in milliseconds since the epoch. */
  readonly until: number;
  /** What an origin is told of it. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}
