import { utf8 } from "../../worker/core/protocol/envelope.ts";
import { nothingKnown } from "../../worker/proxy/choosing.ts";
import type { Ports, UpstreamReply, UpstreamRequest } from "../../worker/proxy/ports.ts";
import { createProxy } from "../../worker/proxy/proxy.ts";
import { healthReader } from "../../worker/health/reader.ts";
import type { Seat } from "./fleet.ts";
import { epoch, type Isolate, type World } from "./isolate.ts";
import { nameOf, refused, regionOf } from "./origins.ts";
import type { Seeded } from "./seeded.ts";

const idHeader = "x-call-id";
const message = utf8("0123456789");

/**
 * The same as `isolateAt` with the whole proxy, requests and replies and all, for strategies that change nothing of it. It costs four times
 * as much; a test holds the two beside each other.
 */
export function wholeIsolateAt(seat: Seat, { config, strategy, clock, origins, kv, boards }: World, random: Seeded): Isolate {
  const { colo } = seat;
  if (!strategy.learns) throw new Error(`Cannot run as the strategy must be built: current value is ${strategy.name}`);
  const sent = new Map<string, string[]>();
  let count = 0;

  function transport({ endpoint, headers }: UpstreamRequest): ReturnType<Ports["transport"]> {
    sent.get(headers.get(idHeader)!)!.push(nameOf(endpoint));
    const { what, ms } = origins.ask(colo, endpoint);
    return new Promise((resolve) => void clock.after(ms, () => resolve(typeof what === "object" ? { failure: what } : what === "ok" ? reply(200, "application/proto", message) : reply(503, "application/json", unavailable))));
  }

  const ports: Ports = {
    transport,
    now: () => epoch + seat.skewMs + clock.now(),
    after: clock.after,
    endsWithReply: true,
    random: random.uniform,
    log: () => {},
    secret: () => undefined,
    board: strategy.shares ? boards.at(colo) : null,
    fetch: () => Promise.resolve({ failure: "nothing can be fetched" }),
    limiter: () => undefined,
    tally: null,
    store: strategy.probedEveryMs === null ? null : kv.storeAt(colo),
  };
  const proxy = createProxy({ config, ports, known: ports.store === null ? nothingKnown : healthReader(ports) });
  const place = { latitude: colo.at.lat, longitude: colo.at.lng };

  return async ({ path, idempotency }) => {
    const at = clock.now();
    const id = String(++count);
    const attempts: string[] = [];
    sent.set(id, attempts);
    const headers = { "content-type": "application/proto", "connect-protocol-version": "1", "content-length": String(message.length), [idHeader]: id };
    const response = await proxy.fetch(new Request(`https://proxy.example${path}`, { method: "POST", headers, body: message }), { keep: () => {}, clientAddress: () => null, place: () => place, left: () => null, clientCertificate: () => null });
    sent.delete(id);
    const ok = response.status === 200;
    return { at, ms: clock.now() - at, ok, repeatable: idempotency !== "unknown", safe: idempotency === "no-side-effects", home: colo.home, by: ok ? regionOf(attempts.at(-1)!) : "", touched: attempts.some((name) => origins.isSick({ url: `https://${name}.example` })), attempts: attempts.length };
  };
}

const unavailable = utf8('{"code":"unavailable"}');

function reply(status: number, type: string, bytes: Uint8Array<ArrayBuffer>): UpstreamReply {
  const headers = new Headers({ "content-type": type, "content-length": String(bytes.length) });
  return { status, headers, source: { body: new Response(bytes).body, arrayBuffer: () => Promise.resolve(bytes.buffer) }, trailers: null, broken: refused };
}
