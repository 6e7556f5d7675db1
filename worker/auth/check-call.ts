import type { Outcome } from "../core/balance/observation.ts";
import { pickEndpoint } from "../core/balance/pick.ts";
import { nowhere, readPlace } from "../core/balance/place.ts";
import type { CompiledCluster, CompiledRoute } from "../core/config/compiled.ts";
import type { CompiledAuthorizer } from "../core/config/compiled-auth.ts";
import { errorFromBody } from "../core/protocol/connect-end.ts";
import { formFromContentType } from "../core/protocol/dialect.ts";
import { Fields } from "../core/protocol/fields.ts";
import { connectTimeoutFromMs } from "../core/protocol/timeout.ts";
import type { Call } from "../proxy/call.ts";
import type { Choosing } from "../proxy/choosing.ts";
import type { Ports, UpstreamReply, UpstreamRequest } from "../proxy/ports.ts";
import { readUpTo } from "./get-json.ts";

/**
 * What came of asking an authorizer. `unusable`: it answered, but nothing that counts. `unreached`: there was nobody to ask, or only a
 * gateway's word in its place. `over`: the call ended meanwhile.
 */
export type Checked =
  | { readonly kind: "answer"; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "denied" | "over" }
  | { readonly kind: "unusable" | "unreached"; readonly cause: string };

export interface CheckNeeds {
  readonly ports: Ports;
  readonly choosing: Choosing;
  /** Where the authorizer is. */
  readonly cluster: CompiledCluster;
}

type Ended = Pick<Outcome, "code" | "by">;

const path = "/fairlead.authz.v1.AuthorizationService/Check";
const mostBytes = 64 * 1024;
const good: Ended = { code: "ok", by: "answered" };
const gatewayStatuses = [502, 503, 504];

/** Calls an authorizer, with Connect and protobuf, at one endpoint of its cluster. */
export function checkCall(config: CompiledAuthorizer, { ports, choosing, cluster }: CheckNeeds): (call: Call, body: Uint8Array<ArrayBuffer>) => Promise<Checked> {
  const ask = { route: { residency: [], sticky: null } as Pick<CompiledRoute, "residency" | "sticky"> as CompiledRoute, key: undefined };
  const headers = () => new Fields({ "content-type": "application/proto", "connect-protocol-version": "1", "connect-timeout-ms": connectTimeoutFromMs(config.timeoutMs), "accept-encoding": "identity" });

  async function exchange(request: UpstreamRequest): Promise<[Checked, Ended]> {
    try {
      const reply = await ports.transport(request);
      if (!("failure" in reply)) return await readReply(reply);
      const { failure } = reply;
      if (failure.kind !== "transport") return [{ kind: "unreached", cause: failure.kind }, { code: "unavailable", by: "transport" }];
      return [{ kind: failure.answered === true ? "unusable" : "unreached", cause: failure.cause }, { code: "unavailable", by: "transport" }];
    } catch (error) {
      return [{ kind: "unreached", cause: String(error) }, { code: "unavailable", by: "transport" }];
    }
  }

  return async (call, body) => {
    const read = choosing.freshen(call.facts.keep);
    if (read !== undefined) await read;
    // Where calls are counted, the end of one that is dropped must be heard of.
    const dropped = cluster.choice === "least-pending" ? call.life.signal() : undefined;
    if (call.life.failure() !== undefined) return { kind: "over" };
    const place = call.facts.place();
    const picked = pickEndpoint(choosing.snapshot(), config.cluster, { ...ask, place: place === null ? nowhere : readPlace(place) }, ports.random);
    if (picked === undefined) return { kind: "unreached", cause: "it has no endpoint" };
    choosing.began(picked, call.facts.keep);
    const began = ports.now();
    const ended = new AbortController();
    return new Promise((resolve) => {
      let open = true;
      const settle = (checked: Checked, how: Ended): void => {
        if (!open) return;
        open = false;
        cancel();
        dropped?.removeEventListener("abort", drop);
        choosing.ended(config.cluster, picked, { ...how, ms: ports.now() - began }, call.facts.keep);
        resolve(checked);
        ended.abort();
      };
      const drop = (): void => settle({ kind: "over" }, { code: "canceled", by: "left" });
      const cancel = ports.after(config.timeoutMs, () => settle({ kind: "unreached", cause: `no answer within ${config.timeoutMs} ms` }, { code: "deadline_exceeded", by: "silence" }));
      dropped?.addEventListener("abort", drop, { once: true });
      void exchange({ endpoint: picked.endpoint, method: "POST", path, headers: headers(), body, once: false, signal: ended.signal }).then(([checked, how]) => settle(checked, how));
    });
  };
}

/** Whoever answers has been asked, with whatever status: a caller may be able to make an authorizer fail. */
async function readReply({ status, headers, source: { body } }: UpstreamReply): Promise<[Checked, Ended]> {
  const type = headers.get("content-type");
  const said = `HTTP ${status}, ${type ?? "no content type"}`;
  try {
    const bytes = body === null ? new Uint8Array(0) : await readUpTo(body, mostBytes);
    if (bytes === undefined) return [{ kind: "unusable", cause: `its answer is larger than ${mostBytes} bytes` }, good];
    if (status === 200) return [type === "application/proto" ? { kind: "answer", bytes } : { kind: "unusable", cause: said }, good];
    const code = formFromContentType(type ?? "")?.codec === "json" ? (errorFromBody(bytes, "ok")?.code ?? "ok") : "ok";
    if (code === "permission_denied" || code === "unauthenticated") return [{ kind: "denied" }, good];
    if (code === "ok" && gatewayStatuses.includes(status)) return [{ kind: "unreached", cause: said }, { code: "unavailable", by: "answered" }];
    return [{ kind: "unusable", cause: code === "ok" ? said : `${said}, ${code}` }, good];
  } catch (error) {
    return [{ kind: "unusable", cause: `its answer broke off: ${String(error)}` }, good];
  }
}
