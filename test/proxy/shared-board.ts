import { pickEndpoint } from "../../worker/core/balance/pick.ts";
import { nowhere } from "../../worker/core/balance/place.ts";
import type { Outcome } from "../../worker/core/balance/observation.ts";
import type { CompiledConfig } from "../../worker/core/config/compiled.ts";
import { choosing, nothingKnown } from "../../worker/proxy/choosing.ts";
import type { Board } from "../../worker/proxy/ports.ts";
import { cluster, endpoints, locality, route, seeded } from "../core/balance/arbitrary.ts";
import { settled, type World } from "../health/world.ts";

const near = cluster("c", [locality("near", { endpoints: endpoints("near", 3) }), locality("far", { priority: 1, endpoints: endpoints("far", 3) })]);
const config = { clusters: [near], routes: [route()] } as unknown as CompiledConfig;
export const good: Outcome = { code: "ok", by: "answered", ms: 10 };
export const broken: Outcome = { code: "unavailable", by: "transport", ms: 10 };

export interface Held extends Board {
  bytes: Uint8Array | null;
  writes: number;
  reads: number;
  /** What happens before it answers. */
  doing: () => Promise<void> | void;
}

export function board(): Held {
  const held: Held = {
    bytes: null, writes: 0, reads: 0, doing: () => {},
    async read() {
      held.reads++;
      await held.doing();
      return held.bytes;
    },
    async write(bytes) {
      held.writes++;
      await held.doing();
      held.bytes = bytes;
    },
  };
  return held;
}

/** An isolate of a data centre, whose calls end as told. */
export function isolate(ports: World, shared: Board | null, seed = 1) {
  const random = seeded(seed);
  const chooser = choosing(config, { ...ports, board: shared, random: seeded(seed + 100) }, nothingKnown);
  const keep = () => {};
  const pick = () => pickEndpoint(chooser.snapshot(), 0, { route: route(), place: nowhere, key: undefined }, random, { tried: [], repeatable: true })!;
  const call = async (outcomeOf: (region: string) => Outcome) => {
    await chooser.freshen(keep);
    const picked = pick();
    chooser.began(picked, keep);
    chooser.ended(0, picked, outcomeOf(picked.region), keep);
    await settled();
    return picked.region;
  };
  return { chooser, call, keep };
}

export type Isolate = ReturnType<typeof isolate>;

export const nearIsDead = (region: string): Outcome => (region === "near" ? broken : good);
export const allIsWell = (): Outcome => good;
