import { ejectLocality } from "../core/balance/ejection.ts";
import { endpointKey } from "../core/balance/endpoint-key.ts";
import { decodeNotes, encodeNotes, isNewer, mergeNotes, type Note, noteOf, takeNote } from "../core/balance/notes.ts";
import type { Observation, Observations } from "../core/balance/observation.ts";
import type { CompiledCluster } from "../core/config/compiled.ts";
import type { Board, Keep, Ports } from "./ports.ts";

/** What was read is as good as new for so long; what is no turn is written no oftener. */
const freshMs = 1000;
/** So long a call waits for its read. */
const waitMs = 10;
/** A board that fails is left alone for so long. */
const restMs = 30_000;
/** An endpoint of whose calls fewer failed lately is not worth a note. */
const fewErrors = 0.02;
/** A note that is missing so long after it was made was taken away by another isolate's write. */
const missedMs = 10_000;

/** What the isolates of a data centre tell each other through a board. */
export interface Sharing {
  /**
   * To be awaited by a call before it picks; undefined where what is known is fresh. The call makes a read of its own and waits for it
   * 10 ms at most. Never rejects.
   */
  freshen(keep: Keep): Promise<void> | undefined;
  /** Tells the others how these endpoints are now, where one turned, does badly or did; `news`: it is worth it in any case. */
  tell(endpoints: readonly Observation[], news: boolean, keep: Keep): void;
}

interface Known {
  readonly key: string;
  readonly cluster: number;
  readonly seen: Observation;
  readonly neighbours: readonly Observation[];
}

/**
 * Keeps an isolate's observations in step with the board of its data centre. Whoever writes, writes all that it knows: a note that another
 * isolate's write took away is written again. `changed` is called where something was learned.
 */
export function sharing(ports: Pick<Ports, "now" | "after" | "log">, board: Board, clusters: readonly CompiledCluster[], observations: readonly Observations[], changed: () => void): Sharing {
  const all = endpointsOf(clusters, observations);
  const byKey = new Map(all.map((one) => [one.key, one]));
  const byObservation = new Map(all.map((one) => [one.seen, one]));
  /** What was told or taken last of each. */
  let noted = new Map<string, Note>();
  let [readAt, wroteAt, failedAt] = [-Infinity, -Infinity, -Infinity];
  let unwritten = false;

  function take(bytes: Uint8Array | null): void {
    const now = ports.now();
    const found = bytes === null ? new Map<string, Note>() : decodeNotes(bytes, now);
    const touched = new Set<Known>();
    for (const [key, note] of found) {
      const one = byKey.get(key);
      const before = noted.get(key);
      if (one === undefined || (before !== undefined && !isNewer(note, before))) continue;
      takeNote(one.seen, note, now, clusters[one.cluster]!.outlier);
      touched.add(one);
    }
    unwritten ||= [...noted].some(([key, note]) => now - note.at < missedMs && (!found.has(key) || isNewer(note, found.get(key)!)));
    noted = mergeNotes(noted, new Map([...found].filter(([key]) => byKey.has(key))));
    for (const { cluster, neighbours } of touched) if (ejectLocality(neighbours, now, observations[cluster]!, clusters[cluster]!.outlier)) note(neighbours, false);
    if (touched.size > 0) changed();
  }

  /** Notes what is news of these; says whether one of them went, came or is being tried. */
  function note(endpoints: readonly Observation[], news: boolean): boolean {
    const now = ports.now();
    let turned = false;
    for (const seen of endpoints) {
      const { key } = byObservation.get(seen)!;
      const before = noted.get(key);
      const turn = seen.ejectedUntil !== (before?.ejectedUntil ?? 0) || seen.trialSince !== (before?.trialSince ?? -Infinity);
      if (!turn && !news && !isWorthNoting(seen, before)) continue;
      // A clock that is behind does not keep anybody's news from being the newest.
      noted.set(key, noteOf(seen, Math.max(now, (before?.at ?? 0) + 1)));
      unwritten = true;
      turned ||= turn;
    }
    return turned;
  }

  async function failSoft(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      failedAt = ports.now();
      ports.log({ level: "warn", event: "board-unusable", error: String(error) });
    }
  }

  function write(): Promise<void> {
    wroteAt = ports.now();
    unwritten = false;
    return failSoft(async () => {
      take(await board.read());
      await board.write(encodeNotes(noted, ports.now()));
    });
  }

  const rests = (now: number): boolean => Math.abs(now - failedAt) < restMs;

  return {
    freshen(keep) {
      const now = ports.now();
      if (rests(now) || Math.abs(now - readAt) < freshMs) return undefined;
      readAt = now;
      const reading = unwritten && now - wroteAt >= freshMs ? write() : failSoft(async () => take(await board.read()));
      keep(reading);
      const { promise, resolve } = Promise.withResolvers<void>();
      const cancel = ports.after(waitMs, resolve);
      return Promise.race([reading, promise]).finally(cancel);
    },
    tell(endpoints, news, keep) {
      const now = ports.now();
      const turned = note(endpoints, news);
      if (unwritten && !rests(now) && (turned || now - wroteAt >= freshMs)) keep(write());
    },
  };
}

function isWorthNoting({ failures, errors }: Observation, before: Note | undefined): boolean {
  return failures > 0 || errors > fewErrors || (before?.failures ?? 0) > 0;
}

function endpointsOf(clusters: readonly CompiledCluster[], observations: readonly Observations[]): readonly Known[] {
  return clusters.flatMap(({ name, localities }, cluster) => localities.flatMap(({ region, endpoints }, l) => {
    const neighbours = observations[cluster]![l]!;
    return endpoints.map((endpoint, e): Known => ({ key: endpointKey(name, region, endpoint), cluster, seen: neighbours[e]!, neighbours }));
  }));
}
