import { Fields } from "../../worker/core/protocol/fields.ts";
import { createProxy, decodeArtifact, type ConnectionFacts, type Ports, type UpstreamReply, type UpstreamRequest } from "../../worker/index.ts";
import { compileText } from "../e2e/harness.ts";
import { type World, world } from "../health/world.ts";

/** An origin's answer, as it is written down: a good one with a body, or another status. */
export interface Answered {
  readonly status?: number;
  readonly type?: string;
  readonly headers?: Record<string, string>;
  readonly body?: Uint8Array<ArrayBuffer> | string;
}

export type Origin = (request: UpstreamRequest) => Answered | Promise<Answered>;

export interface Guarded {
  readonly ports: World;
  /** Requests that reached the service's origin. */
  readonly reached: UpstreamRequest[];
  call(headers?: Record<string, string>, more?: { readonly method?: string; readonly facts?: Partial<ConnectionFacts>; readonly get?: boolean }): Promise<Outcome>;
  get(path: string): Promise<Response>;
}

export interface Outcome {
  readonly code: string;
  readonly status: number;
  readonly headers: Headers;
  readonly error: { readonly message?: string; readonly details?: readonly { readonly type: string }[] };
  /** The headers with which the origin was called; undefined where it was not. */
  readonly sent: Fields | undefined;
}

export interface GuardedOptions {
  /** What stands under `auth:`, as YAML in one line or indented. */
  readonly auth: string;
  readonly top?: string;
  readonly ports?: Partial<Ports>;
  readonly base?: World;
  /** Further clusters, each in a line of its own, indented by two blanks. */
  readonly clusters?: string;
  /** Answers for hosts other than the service's own. */
  readonly others?: Readonly<Record<string, Origin>>;
}

/** A proxy in this process in front of the service `t.S`, with a clock and documents in the test's hands. */
export async function guarded({ auth, top = "", clusters = "", ports: more = {}, base, others = {} }: GuardedOptions): Promise<Guarded> {
  const reached: UpstreamRequest[] = [];
  const ports = base ?? world();
  const transport: Ports["transport"] = async (request) => {
    const host = new URL(request.endpoint.url).hostname;
    if (others[host] !== undefined) return reply(await others[host](request));
    reached.push({ ...request, headers: new Fields(Object.fromEntries(request.headers)) });
    return reply({ headers: { "cache-control": "public, max-age=60" } });
  };
  const { config } = await decodeArtifact(await compileText(`
methods:
  - { path: /t.S/Get, kind: UNARY, idempotency: NO_SIDE_EFFECTS }
  - { path: /t.S/Unary, kind: UNARY }
clusters:
  c: { dialect: CONNECT, localities: [{ region: here, endpoints: [{ url: "http://origin.example" }] }] }
  authz: { dialect: CONNECT, localities: [{ region: here, endpoints: [{ url: "http://authz.example" }] }] }
${clusters}
routes: [{ match: { prefix: / }, cluster: c }]
${top}
auth: ${auth}
`));
  const proxy = createProxy({ config, ports: { ...ports, transport, ...more } });
  const facts: ConnectionFacts = { keep: () => {}, clientAddress: () => "192.0.2.1", place: () => null, clientCertificate: () => null, left: () => null };
  return {
    ports,
    reached,
    async call(headers = {}, { method = "Unary", facts: other = {}, get = false } = {}) {
      const before = reached.length;
      const request = get
        ? new Request(`https://p.example/t.S/${method}?connect=v1&encoding=proto&message=`, { headers })
        : new Request(`https://p.example/t.S/${method}`, { method: "POST", headers: { "content-type": "application/proto", "content-length": "1", ...headers }, body: "x" });
      const response = await proxy.fetch(request, { ...facts, ...other });
      const text = await response.text();
      const error = response.status === 200 ? {} : (JSON.parse(text) as { code: string });
      return { code: "ok", ...error, status: response.status, headers: response.headers, error, sent: reached[before]?.headers };
    },
    get: (path) => proxy.fetch(new Request(`https://p.example${path}`), facts),
  };
}

function reply({ status = 200, type = "application/proto", headers = {}, body = "x" }: Answered): UpstreamReply {
  const response = new Response(body, { status, headers: { "content-type": type, "content-length": String(body.length), ...headers } });
  return { status, headers: response.headers, source: response as UpstreamReply["source"], trailers: null, broken: { kind: "transport", reached: "maybe", cause: "broken" } };
}
