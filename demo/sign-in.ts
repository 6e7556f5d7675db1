import { newKey, publicKey } from "../cli/dev-key.ts";
import { type Said, signToken } from "../cli/token.ts";
import type { CompiledConfig } from "../worker/core/config/compiled.ts";
import type { CompiledJwtProvider } from "../worker/core/config/compiled-auth.ts";

/** Who signs callers in: the issuer that fairlead.yaml names, with a key that lasts as long as the demo. */
export interface SignIn {
  /** The public half of its key, as a JSON Web Key Set. */
  readonly jwks: string;
  /** A token of this issuer. */
  token(said: Partial<Said>): Promise<string>;
  /** The config with the key itself in the place of where it is. */
  trustedBy(config: CompiledConfig): CompiledConfig;
}

const hour = 3_600_000;

/** @throws Error if the config has no issuer. */
export async function startSignIn({ auth }: CompiledConfig): Promise<SignIn> {
  const issuer = auth.providers.find((provider): provider is CompiledJwtProvider => provider.kind === "jwt");
  if (issuer === undefined) throw new Error("Cannot sign anybody in as fairlead.yaml must have an issuer among auth.providers");
  const key = await newKey("ES256");
  const jwks = JSON.stringify({ keys: [publicKey(key)] });
  return {
    jwks,
    token: (said) => signToken(issuer, key, { subject: "ada", expires: hour, ...said }),
    trustedBy: (config) => ({
      ...config,
      auth: { ...config.auth, providers: config.auth.providers.map((provider) => (provider.name === issuer.name ? { ...issuer, keys: { from: "inline", jwks } } : provider)) },
    }),
  };
}
