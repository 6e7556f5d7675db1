import type { ClientCertificate } from "../../core/auth/certificate.ts";
import type { RawPlace } from "../../core/balance/place.ts";
import type { ConnectionFacts } from "../../proxy/ports.ts";

/** What of a request tells about its connection. */
export type Arrived = Pick<Request, "headers" | "signal"> & { readonly cf?: Readonly<Record<string, unknown>> | undefined };

/** What workerd tells of a connection: Cloudflare's, or one of one's own. */
export function connectionFacts(request: Arrived, context: Pick<ExecutionContext, "waitUntil">): ConnectionFacts {
  return {
    keep: (work) => context.waitUntil(work),
    clientAddress: () => clientAddress(request),
    place: () => place(request),
    clientCertificate: () => clientCertificate(request),
    left: () => request.signal,
  };
}

/**
 * Cloudflare writes a header over what a caller sends, and tells its data centre beside it. A workerd of one's own tells
 * the other end of the connection, with its port, and lets that header through from anybody.
 */
function clientAddress({ cf, headers }: Arrived): string | null {
  if (typeof cf?.["clientIp"] === "string") return cf["clientIp"].replace(/^\[?(.*?)\]?:\d+$/, "$1");
  return cf?.["colo"] === undefined ? null : headers.get("cf-connecting-ip");
}

/**
 * Cloudflare's account of where a request came from; it may leave out what it does not know, and then nobody else is asked:
 * a caller could otherwise place itself. https://developers.cloudflare.com/workers/runtime-apis/request/#incomingrequestcfproperties
 */
function place({ cf }: Arrived): RawPlace | null {
  if (cf?.["colo"] === undefined) return null;
  const { latitude, longitude, country, continent } = cf as RawPlace;
  return { latitude, longitude, country, continent };
}

/**
 * A certificate that Cloudflare has verified: one that is merely presented may be anybody's. Values are text.
 * https://developers.cloudflare.com/workers/runtime-apis/bindings/mtls/#client-certificate-variables
 */
function clientCertificate({ cf }: Arrived): ClientCertificate | null {
  const tls = cf?.["colo"] === undefined ? undefined : (cf["tlsClientAuth"] as Readonly<Record<string, unknown>> | null | undefined);
  if (tls?.["certPresented"] !== "1" || tls["certVerified"] !== "SUCCESS" || tls["certRevoked"] === "1") return null;
  const [sha256, subject] = [tls["certFingerprintSHA256"], tls["certSubjectDN"]];
  return { sha256: typeof sha256 === "string" ? sha256.toLowerCase() : "", subject: typeof subject === "string" ? subject : "" };
}
