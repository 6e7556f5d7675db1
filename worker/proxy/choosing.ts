import { record } from "../core/balance/ejection.ts";
import { observe, type Outcome, watched } from "../core/balance/observation.ts";
import type { Picked } from "../core/balance/pick.ts";
import { type EndpointState, isSick, markUsable, type Snapshot, snapshot, type StateOf, type WeightOf } from "../core/balance/snapshot.ts";
import type { Point } from "../core/balance/place.ts";
import type { CompiledConfig } from "../core/config/compiled.ts";
import { sharing } from "./board.ts";
import type { Keep, Ports } from "./ports.ts";

/** What all calls of an isolate pick from, and tell of. */
export interface Choosing {
  /** To be awaited before a pick, where it is a promise: what others know is being read. */
  freshen(keep: Keep): Promise<void> | undefined;
  /** The snapshot of this instant. */
  snapshot(): Snapshot;
  /** To be told of each pick that is sent. What goes on after the reply is handed to `keep`, here and below. */
  began(picked: Picked, keep: Keep): void;
  /** Takes in how a call to an endpoint of this cluster (by index) ended. To be called once for each pick. */
  ended(cluster: number, picked: Picked, outcome: Outcome, keep: Keep): void;
}

/** What others know of endpoints. */
export interface Known {
  states(): StateOf;
  /** Default: the config's weights. */
  weights?(): WeightOf;
  /** Takes in where a call came from, as far as the platform says. Only there where that changes what is known. */
  readonly near?: ((at: Point) => void) | undefined;
  /** The region of probes that is near. Default: none. */
  here?(): string | null;
  /** Changes whenever one of these would answer differently. */
  revision(): number;
  /** A read that is worth a short wait, or undefined. Never rejects. What goes on after that wait is handed to `keep`. */
  freshen(keep: Keep): Promise<void> | undefined;
}

/** Nobody knows anything: there is no health table. */
export const nothingKnown: Known = { states: () => () => "unknown", revision: () => 0, freshen: () => undefined };

/** Whoever was taken out by others, and is let in again, comes back by and by. */
function welcomeBack({ clusters }: Snapshot, states: StateOf, now: number): void {
  for (const { cluster, localities } of clusters) {
    for (const { region, endpoints } of localities) {
      for (const { endpoint, state, seen } of endpoints) {
        if (isOut(state) && !isOut(states(cluster, region, endpoint))) seen.backSince = now;
      }
    }
  }
}

function isOut(state: EndpointState): boolean {
  return isSick(state) || state === "drained";
}

/** How long news that changes shares a little may wait. */
const soonMs = 1000;

/** Keeps the observations, and makes a snapshot anew where something that it is made from has changed. */
export function choosing(config: CompiledConfig, ports: Ports, known: Known): Choosing {
  const { clusters } = config;
  const observations = clusters.map(observe);
  const all = observations.map((localities, cluster) => watched(localities, cluster, config));
  const plural = observations.map((cluster) => cluster.flat().length > 1);
  let current: Snapshot | undefined;
  let madeAt = -Infinity;
  let due = Infinity;
  let revision = known.revision();
  const shared = ports.board === null ? undefined : sharing(ports, ports.board, clusters, all, () => void (due = -Infinity));

  function logTurns(cluster: number, { region, neighbours }: Picked, { by, code }: Outcome, before: readonly number[]): void {
    const { name, localities } = clusters[cluster]!;
    const { endpoints } = localities.find((locality) => locality.region === region)!;
    for (const [i, { ejectedUntil }] of neighbours.entries()) {
      if (ejectedUntil === before[i]) continue;
      const event = ejectedUntil === 0 ? "endpoint-back" : "endpoint-ejected";
      ports.log({ level: "warn", event, cluster: name, region, endpoint: endpoints[i]!.url, ...(ejectedUntil > 0 && { ms: ejectedUntil - ports.now(), by, code }) });
    }
  }

  return {
    freshen(keep) {
      const [documents, notes] = [known.freshen(keep), shared?.freshen(keep)];
      return documents === undefined || notes === undefined ? (documents ?? notes) : Promise.all([documents, notes]).then(() => undefined);
    },
    snapshot() {
      const now = ports.now();
      if (current !== undefined && now >= madeAt && now < due && revision === known.revision()) return current;
      revision = known.revision();
      const states = known.states();
      if (current !== undefined) welcomeBack(current, states, now);
      current = snapshot(clusters, states, { observations, now, here: known.here?.() ?? null }, known.weights?.());
      markUsable(current);
      madeAt = now;
      due = current.until;
      return current;
    },
    began({ trial, neighbours }, keep) {
      if (trial) shared?.began(neighbours, keep);
    },
    ended(cluster, picked, outcome, keep) {
      const { seen, neighbours, trial } = picked;
      seen.pending--;
      const now = ports.now();
      const before = outcome.code !== "ok" || trial ? neighbours.map(({ ejectedUntil }) => ejectedUntil) : [];
      const tell = shared?.ending(seen, neighbours);
      const change = record(picked, outcome, now, all[cluster]!, clusters[cluster]!.outlier);
      if (change === "now") due = now;
      else if (change === "soon" && plural[cluster]) due = Math.min(due, now + soonMs);
      if (change === "now") logTurns(cluster, picked, outcome, before);
      // After the log: what others found out is not logged here.
      tell?.(change === "now" ? neighbours : [seen], keep);
    },
  };
}
