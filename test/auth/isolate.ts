import { compileText } from "../e2e/harness.ts";
import { createProxy, decodeArtifact, type LogEntry, type Ports, type UpstreamReply } from "../../worker/index.ts";
import type { Store } from "../../worker/proxy/ports.ts";
import type { Clock } from "./clock.ts";
import { issuerName } from "./issuer.ts";

/** One isolate of the proxy in a test's time, in front of an origin that always answers. */
export interface Isolate {
  /** Makes a call; how it ended, and how long it took in the test's time. */
  call(headers?: Record<string, string>, path?: string): Promise<{ readonly code: string; readonly ms: number }>;
  /** Calls that reached the origin. */
  reached(): number;
  readonly log: readonly LogEntry[];
}

const auth = (more: string) => `
methods: [{ path: /t.S/M, kind: UNARY }, { path: /t.S/Keyed, kind: UNARY }]
clusters: { c: { dialect: CONNECT, localities: [{ region: near, endpoints: [{ url: "http://origin.example" }] }] } }
routes: [{ match: { service: t.S }, cluster: c }]
auth:
  providers:
    main: { issuer: "${issuerName}", audiences: [api], algorithms: [RS256, ES256], jwks_uri: "https://id.example/keys"${more} }
    keys: { api_keys: { stored: true } }
  rules: [{ match: { method: /t.S/M }, require: { provider: main } }, { match: { method: /t.S/Keyed }, require: { provider: keys } }]
`;

export interface World {
  readonly clock: Clock;
  readonly store: Store | null;
  readonly fetch: Ports["fetch"];
  /** Further fields of the provider. */
  readonly provider?: string;
}

export async function isolates(count: number, { clock, store, fetch, provider = "" }: World): Promise<Isolate[]> {
  const { config } = await decodeArtifact(await compileText(auth(provider)));
  return Array.from({ length: count }, (_, i) => isolate(config, { clock, store, fetch }, (i + 0.5) / count));
}

function isolate(config: Awaited<ReturnType<typeof decodeArtifact>>["config"], { clock, store, fetch }: World, random: number): Isolate {
  let reached = 0;
  const log: LogEntry[] = [];
  const ports: Ports = {
    transport: async () => {
      reached++;
      return good();
    },
    now: () => clock.now(),
    after: (ms, then) => clock.after(ms, then),
    endsWithReply: false,
    random: () => random,
    secret: () => undefined,
    fetch,
    limiter: () => undefined,
    tally: null,
    store,
    board: null,
    log: (entry) => log.push(entry),
  };
  const proxy = createProxy({ config, ports });
  return {
    log,
    reached: () => reached,
    async call(headers = {}, path = "/t.S/M") {
      const request = new Request(`http://p.example${path}`, { method: "POST", headers: { "content-type": "application/proto", "content-length": "1", ...headers }, body: "x" });
      const began = clock.now();
      const response = await proxy.fetch(request, { keep: () => {}, clientAddress: () => null, place: () => null, clientCertificate: () => null, left: () => null });
      const text = await response.text();
      return { code: response.status === 200 ? "ok" : (JSON.parse(text) as { code: string }).code, ms: clock.now() - began };
    },
  };
}

function good(): UpstreamReply {
  const response = new Response("x", { headers: { "content-type": "application/proto", "content-length": "1" } });
  return { status: 200, headers: response.headers, source: response as UpstreamReply["source"], trailers: null, broken: { kind: "transport", reached: "maybe", cause: "broken" } };
}

/** Documents that isolates share. What is put is seen after so many milliseconds. */
export function sharedStore(clock: Clock, seenAfterMs = 0): Store {
  const versions = new Map<string, { readonly at: number; readonly bytes: Uint8Array }[]>();
  return {
    get: async (key) => versions.get(key)?.findLast(({ at }) => at <= clock.now())?.bytes ?? null,
    put: async (key, bytes) => void versions.set(key, [...(versions.get(key) ?? []).slice(-100), { at: clock.now() + seenAfterMs, bytes }]),
  };
}
