import type { CompiledCluster, CompiledEndpointCertificate } from "../../core/config/compiled.ts";
import type { LogEntry } from "../../proxy/ports.ts";
import type { Fetcher } from "../../transport/fetch.ts";
import type { DenoRuntime } from "./deno.ts";

export interface CertificateNeeds {
  readonly secret: (name: string) => string | undefined;
  readonly createHttpClient: DenoRuntime["createHttpClient"];
  readonly log: (entry: LogEntry) => void;
}

/**
 * Makes ready what the endpoints show their origins; each certificate has connections of its own. One that is missing or cannot be used
 * is logged at once, and its endpoints are not reached: an origin must not be called as nobody.
 */
export function certificates(clusters: readonly CompiledCluster[], needs: CertificateNeeds): (certificate: CompiledEndpointCertificate) => Fetcher | string {
  const named = clusters.flatMap(({ localities }) => localities.flatMap(({ endpoints }) => endpoints.flatMap(({ clientCertificate }) => clientCertificate ?? [])));
  const ready = new Map<string, Fetcher | string>();
  for (const certificate of named) if (!ready.has(keyOf(certificate))) ready.set(keyOf(certificate), open(certificate, needs));
  return (certificate) => ready.get(keyOf(certificate))!;
}

function keyOf({ certificate, key, authorities }: CompiledEndpointCertificate): string {
  return [certificate, key, authorities ?? ""].join(" ");
}

function open({ certificate, key, authorities }: CompiledEndpointCertificate, { secret, createHttpClient, log }: CertificateNeeds): Fetcher | string {
  const unusable = (why: string): string => {
    log({ level: "error", event: "client-certificate-unusable", certificate, why });
    return `the client certificate ${certificate} cannot be used: ${why}`;
  };
  const missing = [certificate, key, ...(authorities === null ? [] : [authorities])].find((name) => (secret(name) ?? "") === "");
  if (missing !== undefined) return unusable(`the secret ${missing} is not set`);
  try {
    const client = createHttpClient({ cert: secret(certificate)!, key: secret(key)!, caCerts: authorities === null ? [] : [secret(authorities)!] });
    return { fetch: (url, init) => fetch(url, { ...init, client } as RequestInit) };
  } catch (error) {
    return unusable(String(error));
  }
}
