import { Command, InvalidArgumentError } from "commander";
import { SignJWT } from "jose";
import { type Claims, withClaim } from "../worker/core/auth/claims.ts";
import type { CompiledJwtProvider } from "../worker/core/config/compiled-auth.ts";
import { keysIn } from "./config/check-key-set.ts";
import { claimPath } from "./config/compile-auth.ts";
import { durationFromText } from "./config/duration.ts";
import { configured } from "./configured.ts";
import { devKey, devKeyFile, newKey, publicKey, type SigningKey } from "./dev-key.ts";

interface Options {
  readonly config: string;
  readonly env?: string;
  readonly provider?: string;
  readonly claim?: Claims;
  readonly scope?: readonly string[];
  readonly subject: string;
  readonly expires: number;
  readonly jwks?: true;
  readonly newKey?: string;
}

const algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];

/** `fairlead token`: tokens for development, signed with a key of one's own machine. */
export function tokenCommand(): Command {
  return new Command("token")
    .description("Print a token that the config's provider accepts, signed with this folder's key for development, which is made when it is first wanted.")
    .option("--config <file>", "the config", "fairlead.yaml")
    .option("--env <name>", "merge environments.NAME over the file")
    .option("--provider <name>", "whose token; it can be left out where one provider holds the key")
    .option("--subject <text>", "who calls: the claim sub", "developer")
    .option("--scope <scope>", "what it may be used for; may be given again", (scope: string, all: readonly string[] = []) => [...all, scope])
    .option("--claim <name=value>", "a claim, its value JSON or else text, a.b=1 one inside another; may be given again", claim)
    .option("--expires <duration>", "for how long it is good", expires, 3_600_000)
    .option("--jwks", "print the key's public half, for the provider's jwks, and no token")
    .option("--new-key <algorithm>", "print a new private key, for `wrangler secret put`, and no token", algorithm)
    .action(run);
}

async function run(options: Options): Promise<void> {
  if (options.newKey !== undefined) return console.log(JSON.stringify(await newKey(options.newKey)));
  const key = await devKey(options.config);
  if (options.jwks === true) return console.log(JSON.stringify({ keys: [publicKey(key)] }));
  console.log(await signToken(providerOf(options, key), key, options));
}

/** What a token says, beside what its provider asks of every one. */
export interface Said {
  readonly subject: string;
  readonly scope?: readonly string[];
  readonly claim?: Claims;
  /** Good for so long, in milliseconds. */
  readonly expires: number;
}

/** A token that a provider accepts, as long as it holds the key. */
export function signToken({ issuer, audiences, scopesClaim }: CompiledJwtProvider, key: SigningKey, { subject, scope, claim, expires }: Said): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const scoped = scope === undefined ? {} : withClaim({}, scopesClaim ?? ["scope"], scope.join(" "));
  const claims = { ...scoped, sub: subject, ...claim };
  const token = new SignJWT({ iss: issuer, aud: audiences[0]!, iat: now, exp: now + Math.floor(expires / 1000), ...claims });
  return token.setProtectedHeader({ alg: key.alg, kid: key.kid, typ: "JWT" }).sign(key);
}

/** The provider whose token is wanted. @throws Error where it would not accept one that this key signed. */
function providerOf({ config: file, env, provider }: Options, key: SigningKey): CompiledJwtProvider {
  const providers = configured(file, { env }).auth.providers.filter((one): one is CompiledJwtProvider => one.kind === "jwt");
  const holds = ({ keys }: CompiledJwtProvider) => keys.from === "inline" && keysIn(keys.jwks)?.some(({ kid, x, y }) => kid === key.kid && x === key.x && y === key.y) === true;
  const meant = provider === undefined ? providers.filter(holds) : providers.filter(({ name }) => name === provider);
  const [one] = meant;
  if (one === undefined && provider !== undefined) throw new Error(`Cannot make a token as --provider must name an issuer of tokens: ${providers.length === 0 ? `${file} has none` : `there are ${providers.map(({ name }) => name).join(", ")}`}`);
  if (one === undefined || !holds(one)) {
    throw new Error(`Cannot make a token as ${one === undefined ? `a provider of ${file}` : `the provider "${one.name}"`} must hold the key in ${devKeyFile(file)}: put what \`fairlead token --jwks\` prints into its jwks, of an environment for development, not production`);
  }
  if (meant.length > 1) throw new Error(`Cannot tell whose token is meant as --provider must name one: ${meant.map(({ name }) => name).join(" and ")} hold the key`);
  if (!(one.algorithms as readonly string[]).includes(key.alg)) throw new Error(`Cannot make a token as the algorithms of "${one.name}" must have ${key.alg}: current value is ${one.algorithms.join(", ")}`);
  return one;
}

function claim(text: string, all: Claims = {}): Claims {
  const equals = text.indexOf("=");
  if (equals < 1) throw new InvalidArgumentError("Must be a claim's name, = and its value: tenant=acme");
  return withClaim(all, claimPath(text.slice(0, equals)), valueOf(text.slice(equals + 1)));
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function expires(text: string): number {
  const ms = durationFromText(text);
  if (ms !== undefined) return ms;
  throw new InvalidArgumentError("Must be a duration, such as 15m or 1h (a negative one makes a token that is past).");
}

function algorithm(text: string): string {
  if (algorithms.includes(text)) return text;
  throw new InvalidArgumentError(`Must be one of ${algorithms.join(", ")}.`);
}
