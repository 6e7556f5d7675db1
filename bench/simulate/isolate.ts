import type { Ask, Picked } from "../../worker/core/balance/pick.ts";
import { Fields } from "../../worker/core/protocol/fields.ts";
import { pickCluster } from "../../worker/core/balance/pick.ts";
import type { CompiledConfig, CompiledMethod } from "../../worker/core/config/compiled.ts";
import { retryBudget } from "../../worker/core/balance/retry.ts";
import { readPlace } from "../../worker/core/balance/place.ts";
import { FailureError } from "../../worker/core/failure.ts";
import { errorEnd, okEnd } from "../../worker/core/protocol/end.ts";
import { Attempts } from "../../worker/proxy/attempts.ts";
import { breaking } from "../../worker/proxy/breaking.ts";
import type { Call, Reply } from "../../worker/proxy/call.ts";
import { type Choosing, choosing, nothingKnown } from "../../worker/proxy/choosing.ts";
import { openLifetime } from "../../worker/proxy/lifetime.ts";
import type { ConnectionFacts, Ports } from "../../worker/proxy/ports.ts";
import { usuals } from "../../worker/proxy/usual.ts";
import { healthReader } from "../../worker/health/reader.ts";
import type { Boards } from "./board.ts";
import type { Clock } from "./clock.ts";
import type { Seat } from "./fleet.ts";
import type { Kv } from "./kv.ts";
import { nameOf, type Origins, regionOf } from "./origins.ts";
import type { Seeded } from "./seeded.ts";
import type { Strategy } from "./strategies.ts";

export interface World {
  readonly config: CompiledConfig;
  readonly strategy: Strategy;
  readonly clock: Clock;
  readonly origins: Origins;
  readonly kv: Kv;
  readonly boards: Boards;
}

/** How a call went, as its caller and the origins saw it. */
export interface CallSeen {
  /** When it began and how long it took, in milliseconds. */
  readonly at: number;
  readonly ms: number;
  readonly ok: boolean;
  /** Whether it may be sent twice, and whether it has no side effects, so that it is hedged. */
  readonly repeatable: boolean;
  readonly safe: boolean;
  /** The caller's nearest region, and the one whose endpoint answered; "" where none did well. */
  readonly home: string;
  readonly by: string;
  /** Whether one of its attempts went to an endpoint that is to fail; and how many attempts it had. */
  readonly touched: boolean;
  readonly attempts: number;
}

/** One isolate of the proxy, cold. */
export type Isolate = (method: CompiledMethod) => Promise<CallSeen>;

/** 2026-11-24T12:00Z. */
export const epoch = 1_795_521_600_000;
const headers = new Fields();
const good: Reply = { status: 200, headers, body: null, end: okEnd() };
const unavailable: Reply = { status: 503, headers, body: null, end: errorEnd("unavailable", "") };
const facts: ConnectionFacts = { keep: () => {}, clientAddress: () => null, place: () => null, left: () => null, clientCertificate: () => null };

/**
 * What `createProxy` and `forward` do with a unary call, less the reading and writing of HTTP: that is what costs, and health has no part
 * in it. As on Cloudflare, the attempts that a call has under way when it ends tell nothing any more; reads of KV are kept.
 */
export function isolateAt(seat: Seat, world: World, random: Seeded): Isolate {
  const { config, strategy, clock, origins, kv, boards } = world;
  const { colo } = seat;
  const ports: Ports = {
    transport: () => Promise.reject(new Error("Cannot be asked as an isolate only probes in a sweep")),
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
  const known = ports.store === null ? nothingKnown : healthReader(ports);
  const learning = choosing(config, ports, known);
  const chooser = strategy.learns ? learning : forgetful(learning);
  const needs = { ports, choosing: chooser, usual: usuals(), budgets: chooser.snapshot().clusters.map(retryBudget), breakers: config.clusters.map((cluster) => breaking(ports, cluster)) };
  const route = config.routes[0]!;
  const ask: Ask = { route, place: readPlace({ latitude: colo.at.lat, longitude: colo.at.lng }), key: undefined };

  function send(picked: Picked, sent: Picked[]): Promise<Reply> {
    sent.push(picked);
    const { what, ms } = origins.ask(colo, picked.endpoint);
    return new Promise((resolve, reject) => void clock.after(ms, () => {
      if (typeof what === "object") return reject(new FailureError(what));
      resolve(what === "ok" ? good : unavailable);
    }));
  }

  return async (method) => {
    const at = clock.now();
    const life = openLifetime(ports, facts, route.timeoutMs);
    const read = chooser.freshen(facts.keep);
    if (read !== undefined) await read;
    const cluster = pickCluster(chooser.snapshot(), ask, ports.random);
    const call = { route, method, path: method.path, life, facts, trace: {} } as Call;
    const sent: Picked[] = [];
    const trying = new Attempts(needs, call, { cluster, ask, replayable: true, oneReply: true, plural: true, send: (picked) => send(picked, sent) });
    let reply: Reply | undefined;
    try {
      reply = await life.orOver(trying.run());
      if (reply === undefined) trying.over();
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
    }
    life.close();
    const ok = reply === good;
    const by = ok ? regionOf(nameOf({ url: call.trace.picked!.endpoint })) : "";
    return { at, ms: clock.now() - at, ok, repeatable: method.idempotency !== "unknown", safe: method.idempotency === "no-side-effects", home: colo.home, by, touched: sent.some(({ endpoint }) => origins.isSick(endpoint)), attempts: sent.length };
  };
}

/** Picks as ever, and learns nothing from calls. */
function forgetful(inner: Choosing): Choosing {
  return { ...inner, ended: (_, { seen }) => void seen.pending-- };
}
