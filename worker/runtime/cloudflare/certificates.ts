import type { CompiledCluster } from "../../core/config/compiled.ts";

/**
 * Only a binding shows a certificate here. A Worker that throws as it starts is not taken by `wrangler deploy`: better than one that
 * calls an origin as nobody. https://developers.cloudflare.com/workers/runtime-apis/bindings/mtls/
 * @throws Error where an endpoint names a certificate.
 */
export function refuseCertificates(clusters: readonly CompiledCluster[]): void {
  const naming = clusters.flatMap(({ localities }) => localities.flatMap(({ endpoints }) => endpoints)).filter(({ clientCertificate }) => clientCertificate !== null);
  if (naming.length === 0) return;
  throw new Error(`Cannot start with this config as client_certificate must be for endpoints on Deno alone, and those here go through a binding of mtls_certificates: current value is that of ${naming.map(({ url }) => url).join(", ")}`);
}
