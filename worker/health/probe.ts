import { Fields } from "../core/protocol/fields.ts";
import { checkPath, checkRequest, checkVerdict, checkWire, type Verdict } from "../core/health/grpc-check.ts";
import { shortText } from "../core/health/short-text.ts";
import { probeFromHeader } from "../core/protocol/metadata.ts";
import type { ProbeResult } from "../core/health/judge.ts";
import type { Target } from "../core/health/targets.ts";
import { byteReader } from "../proxy/byte-reader.ts";
import type { Ports, UpstreamReply, UpstreamRequest } from "../proxy/ports.ts";

/** An answer to a check that is larger is none, in bytes. */
const mostBytes = 64 * 1024;

type Reading = "too-large" | Uint8Array<ArrayBuffer>;

/** What became of asking; undefined where it could not be asked. */
type Asked = Verdict | undefined;

/**
 * Asks an endpoint once whether it is well, in the name of a region where there is one. Never throws, and takes no longer than the
 * check's time-out. Undefined where it could not be asked.
 */
export async function probe(ports: Pick<Ports, "transport" | "after" | "now">, target: Target, region: string | null): Promise<ProbeResult | undefined> {
  const at = ports.now();
  const ended = new AbortController();
  const { promise: late, resolve } = Promise.withResolvers<Asked>();
  const cancel = ports.after(target.check.timeoutMs, () => resolve({ healthy: false, detail: `no answer within ${target.check.timeoutMs} ms` }));
  const asked = (target.check.service === null ? askHttp : askGrpc)(ports, target, region, ended.signal).catch((error: unknown) => unreachable(String(error)));
  const verdict = await Promise.race([asked, late]);
  cancel();
  ended.abort();
  return verdict && { key: target.key, region, ...verdict, roundTripMs: ports.now() - at, at };
}

async function askHttp({ transport }: Pick<Ports, "transport">, { endpoint, check }: Target, region: string | null, signal: AbortSignal): Promise<Asked> {
  const headers = new Fields();
  if (region !== null) headers.set(probeFromHeader, region);
  const reply = await transport({ endpoint, method: "GET", path: check.httpPath, headers, body: null, once: false, signal });
  if ("failure" in reply) return unreachable(causeOf(reply.failure));
  reply.source.body?.cancel().catch(() => {});
  const healthy = check.httpStatuses.some(([from, to]) => reply.status >= from && reply.status <= to);
  return { healthy, detail: healthy ? "" : `HTTP ${reply.status}` };
}

async function askGrpc({ transport }: Pick<Ports, "transport">, { endpoint, check, cluster }: Target, region: string | null, signal: AbortSignal): Promise<Asked> {
  const wire = checkWire(cluster);
  const request: UpstreamRequest = { endpoint, method: "POST", path: checkPath, once: false, signal, ...checkRequest(wire, check.service ?? "", check.timeoutMs) };
  if (region !== null) request.headers.set(probeFromHeader, region);
  const reply = await transport(request);
  if ("failure" in reply) return unreachable(causeOf(reply.failure));
  const body = await readBounded(reply);
  return body === "too-large" ? { healthy: false, detail: `the answer is larger than ${mostBytes} bytes` } : checkVerdict(wire, { status: reply.status, headers: reply.headers, body });
}

async function readBounded({ source: { body } }: UpstreamReply): Promise<Reading> {
  if (body === null) return new Uint8Array(0);
  const reader = byteReader(body);
  const bytes = await reader.fill(mostBytes + 1);
  if (bytes.length <= mostBytes) return bytes;
  reader.cancel();
  return "too-large";
}

function causeOf({ kind, cause }: { readonly kind: string; readonly cause?: unknown }): string {
  return typeof cause === "string" ? cause : kind;
}

/**
 * An endpoint that did not answer, in the runtime's words. Those in which Cloudflare says that an invocation may fetch no more (50 on the free plan) are
 * not about the endpoint; one that answers so itself is heard as any other. https://developers.cloudflare.com/workers/platform/limits/#subrequests
 */
function unreachable(cause: string): Asked {
  return /too many subrequests/i.test(cause) ? undefined : { healthy: false, detail: shortText(cause) };
}
