import type { CompiledEndpoint } from "../../worker/core/config/compiled.ts";
import type { Failure } from "../../worker/core/failure.ts";
import { utf8 } from "../../worker/core/protocol/envelope.ts";
import { checkPath } from "../../worker/core/health/grpc-check.ts";
import type { Transport, UpstreamReply } from "../../worker/proxy/ports.ts";
import type { Clock } from "./clock.ts";
import type { Colo } from "./fleet.ts";
import type { Scenario } from "./scenarios.ts";
import type { Seeded } from "./seeded.ts";

/** What an origin makes of one call, after so many milliseconds. */
export interface Answer {
  readonly what: "ok" | "unavailable" | Failure;
  readonly ms: number;
}

export interface Origins {
  ask(from: Colo, endpoint: CompiledEndpoint): Answer;
  /** Whether this endpoint is one of those that are to fail. */
  isSick(endpoint: Pick<CompiledEndpoint, "url">): boolean;
  /** The same for probes, as a transport. */
  transportFrom(colo: Colo): Transport;
}

/** An origin works for so long on half of the calls, and on one in a hundred four times as long. */
const medianMs = 12;
const spread = 0.6;
const slowFactor = 10;
/** When Cloudflare gives up on a connection: HTTP 522. */
const givenUpMs = 19_000;
const flapMs = 10_000;
/** One call or probe in so many fails though nothing is wrong. */
const strayErrors = 1 / 1000;

export const refused: Failure = { kind: "transport", reached: "no", cause: "HTTP 521" };
const lost: Failure = { kind: "transport", reached: "maybe", cause: "HTTP 522" };

export function originsOf({ fault, sick, lastsMs }: Pick<Scenario, "fault" | "sick" | "lastsMs">, clock: Clock, random: Seeded): Origins {
  const asked = new Map<string, number>();

  function ask(from: Colo, endpoint: CompiledEndpoint): Answer {
    const name = nameOf(endpoint);
    const way = from.rttMs[regionOf(name)]! + random.exponential(1);
    const work = medianMs * Math.exp(spread * random.normal());
    const now = clock.now();
    if (random.uniform() < strayErrors) return { what: "unavailable", ms: way + work };
    if (fault === null || !sick.has(name) || now < 0 || now >= lastsMs) return { what: "ok", ms: way + work };
    switch (fault) {
      case "refused": return { what: refused, ms: way };
      case "silent": return { what: lost, ms: givenUpMs };
      case "errors": return { what: "unavailable", ms: way + work };
      case "slow": return { what: "ok", ms: way + work * slowFactor };
      case "flapping": return Math.floor(now / flapMs) % 2 === 0 ? { what: refused, ms: way } : { what: "ok", ms: way + work };
      case "gray": {
        const count = asked.get(name) ?? 0;
        asked.set(name, count + 1);
        return count % 2 === 0 ? { what: "unavailable", ms: way + work } : { what: "ok", ms: way + work * slowFactor };
      }
    }
  }

  return {
    ask,
    isSick: (endpoint) => sick.has(nameOf(endpoint)),
    transportFrom: (colo) => ({ endpoint, path }) => {
      if (path !== checkPath) throw new Error(`Cannot answer as only health is asked for by a request: current path is ${path}`);
      const { what, ms } = ask(colo, endpoint);
      return new Promise((resolve) => void clock.after(ms, () => resolve(typeof what === "object" ? { failure: what } : what === "ok" ? serving() : unavailable())));
    },
  };
}

export function nameOf({ url }: Pick<CompiledEndpoint, "url">): string {
  return url.slice("https://".length, -".example".length);
}

export function regionOf(name: string): string {
  return name.slice(0, name.lastIndexOf("-"));
}

/** A HealthCheckResponse with status = SERVING. */
function serving(): UpstreamReply {
  return reply(200, "application/proto", Uint8Array.of(0x08, 0x01));
}

function unavailable(): UpstreamReply {
  return reply(503, "application/json", utf8('{"code":"unavailable"}'));
}

function reply(status: number, type: string, bytes: Uint8Array<ArrayBuffer>): UpstreamReply {
  // Not a Response, whose body comes in the time of this machine.
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
  return { status, headers: new Headers({ "content-type": type }), source: { body, arrayBuffer: () => Promise.resolve(bytes.buffer) }, trailers: null, broken: lost };
}
