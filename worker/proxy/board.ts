import { ejectLocality, hasRow } from "../core/balance/ejection.ts";
import { endpointKey } from "../core/balance/endpoint-key.ts";
import { decodeNotes, encodeNotes, heedEjection, isNewer, mergeNotes, type Note, type Page, recentNotes, takeNote, toldOf } from "../core/balance/notes.ts";
import type { Observation, Watched } from "../core/balance/observation.ts";
import { mapValues } from "../core/config/by-match.ts";
import type { CompiledCluster } from "../core/config/compiled.ts";
import { type Schedule, schedule, type Urgency } from "./board-schedule.ts";
import type { Board, Keep, Ports } from "./ports.ts";

/** So long a call waits for its read. */
const waitMs = 10;
/** A share of failures is news where it is another by so much. */
const otherErrors = 0.05;
/** A note that is missing so long after it was made, or after its ejection, was taken away by another isolate's write. */
const missedMs = 10_000;
/** An isolate whose own calls failed so lately knows better than others how an endpoint is for it. */
const ownMs = 30_000;
/** An ejection is believed of so many isolates: what one sees alone may be its own fault. */
const witnessesNeeded = 2;

/** What the isolates of a data centre tell each other through a board. */
export interface Sharing {
  /**
   * To be awaited by a call before it picks; undefined where what is known is fresh. The call makes a read of its own and waits for it
   * 10 ms at most. Never rejects.
   */
  freshen(keep: Keep): Promise<void> | undefined;
  /** Tells the others that one of these is being tried. */
  began(neighbours: readonly Observation[], keep: Keep): void;
  /** To be called before a call's end is taken in; what it gives back afterwards, with the endpoints that may have turned. */
  ending(seen: Observation, neighbours: readonly Observation[]): (turned: readonly Observation[], keep: Keep) => void;
}

interface Known {
  readonly key: string;
  readonly cluster: number;
  readonly seen: Observation;
  readonly neighbours: readonly Observation[];
  /** When this isolate's own call last failed there, and when anybody's last did not. */
  sickAt: number;
  goodAt: number;
  /** What of it was told or taken last. */
  ejectedUntil: number;
  trialSince: number;
}

/**
 * Keeps an isolate's observations in step with the board of its data centre. Whoever writes, writes all that it knows: a note that another
 * isolate's write took away is written again. `changed` is called where something was learned.
 */
export function sharing(ports: Pick<Ports, "now" | "after" | "log" | "random">, board: Board, clusters: readonly CompiledCluster[], watched: readonly Watched[], changed: () => void): Sharing {
  const all = endpointsOf(clusters, watched);
  const byKey = new Map(all.map((one) => [one.key, one]));
  const byObservation = new Map(all.map((one) => [one.seen, one]));
  const me = 1 + Math.floor(ports.random() * (2 ** 32 - 1));
  const plan: Schedule = schedule(ports);
  /** What was told or taken last of each. */
  let noted = new Map<string, Note>();
  let strange: Page["strange"] = [];
  /** Localities that may have had failures since they last answered well. */
  const rows = new Set<readonly Observation[]>();
  const knownOf = (seen: Observation): Known => byObservation.get(seen)!;
  const inRow = (neighbours: readonly Observation[]): boolean => rows.has(neighbours) && hasRow(neighbours, ports.now());

  function take(bytes: Uint8Array | null): void {
    const now = ports.now();
    noted = recentNotes(noted, now);
    const page = bytes === null ? nothing : decodeNotes(bytes, now, (key) => byKey.has(key));
    const news = [...page.notes].filter(([key, note]) => !noted.has(key) || isNewer(note, noted.get(key)!)).map(([key, note]) => ({ one: byKey.get(key)!, note }));
    const missed = [...noted].some(([key, note]) => now - Math.max(note.at, note.ejectedUntil) < missedMs && (!page.notes.has(key) || isNewer(note, page.notes.get(key)!)));
    if (missed) plan.want("soon");
    ({ strange } = page);
    noted = mergeNotes(noted, page.notes);
    for (const [key, note] of page.notes) byKey.get(key)!.goodAt = Math.max(byKey.get(key)!.goodAt, Math.min(note.goodAt, now));
    for (const { one, note } of news) {
      takeNote(one.seen, note, { now, goodAt: one.goodAt, failsHere: now - one.sickAt < ownMs }, clusters[one.cluster]!.outlier);
      agree(one);
    }
    const places = new Map(news.map(({ one }) => [one.neighbours, one.cluster]));
    for (const [neighbours, cluster] of places) {
      rows.add(neighbours);
      heed(neighbours);
      const mayEject = witnesses(neighbours).size >= witnessesNeeded;
      if (mayEject && ejectLocality(neighbours, now, watched[cluster]!, clusters[cluster]!.outlier)) note(neighbours);
    }
    if (news.length > 0) changed();
  }

  /** The isolates that saw calls to a locality fail, and nobody one succeed after that. */
  function witnesses(neighbours: readonly Observation[]): Set<number> {
    const found = new Set<number>();
    for (const { key, sickAt, goodAt } of neighbours.map(knownOf)) {
      if (sickAt > goodAt) found.add(me);
      const said = noted.get(key);
      if (said !== undefined && said.sickAt > goodAt) found.add(said.by).add(said.also);
    }
    found.delete(0);
    return found;
  }

  /** Leaves alone those of a locality that others have ejected, where that is to be believed. */
  function heed(neighbours: readonly Observation[]): void {
    const now = ports.now();
    const pending = neighbours.map(knownOf).flatMap((one) => {
      const said = noted.get(one.key);
      return one.seen.ejectedUntil === 0 && said !== undefined && said.ejectedUntil > now && (said.mixed === 1 || said.sickAt > one.goodAt) ? [{ one, said }] : [];
    });
    const believed = witnesses(neighbours).size >= witnessesNeeded ? pending : pending.filter(({ said }) => said.mixed === 1);
    if (believed.length === 0) return;
    for (const { one, said } of believed) {
      heedEjection(one.seen, said, now, clusters[one.cluster]!.outlier);
      agree(one);
      if (one.sickAt > one.goodAt && said.by !== me && said.also !== me) confirm(one, said);
    }
    changed();
  }

  /** Has those believe an ejection, too, who have had no call themselves. */
  function confirm({ key, sickAt }: Known, said: Note): void {
    noted.set(key, { ...said, at: said.at + 1, sickAt: Math.max(sickAt, said.sickAt), also: me });
    plan.want("soon");
  }

  /** Notes what is news of these, where a call to `failed` has; `rowEnded`: that one of them answered well is, too. Of most calls nothing is. */
  function note(endpoints: readonly Observation[], { failed, rowEnded = false, mixed = () => false }: { readonly failed?: Observation | undefined; readonly rowEnded?: boolean; readonly mixed?: () => boolean } = {}): void {
    let news: { readonly one: Known; readonly urgent: Urgency }[] | undefined;
    for (const seen of endpoints) {
      const one = knownOf(seen);
      const turned = seen.ejectedUntil !== one.ejectedUntil || seen.trialSince !== one.trialSince;
      const urgent = turned ? "now" : rowEnded || (seen.streak > 0 && seen === failed) ? "soon" : isNews(seen, noted.get(one.key)) ? "later" : undefined;
      if (urgent !== undefined) (news ??= []).push({ one, urgent });
    }
    if (news !== undefined) tell(news, failed, mixed());
  }

  function tell(news: readonly { readonly one: Known; readonly urgent: Urgency }[], failed: Observation | undefined, mixed: boolean): void {
    const now = ports.now();
    const others = mapValues(Map.groupBy(news, ({ one }) => one.neighbours), ([first]) => [...witnesses(first!.one.neighbours)].find((id) => id !== me) ?? 0);
    for (const { one, urgent } of news) {
      const { key, seen, neighbours } = one;
      const before = noted.get(key);
      const turned = seen.ejectedUntil !== one.ejectedUntil;
      const sick = seen === failed || (turned && seen.ejectedUntil > 0);
      const seenBy = sick ? { sickAt: now, by: me, also: others.get(neighbours)! } : { sickAt: before?.sickAt ?? -Infinity, by: before?.by ?? 0, also: before?.also ?? 0 };
      // An ejection that this isolate does not believe is still for others to judge.
      const ejection = !turned && before !== undefined && seen.ejectedUntil === 0 ? { ejectedUntil: before.ejectedUntil, ejections: before.ejections, trialSince: before.trialSince, mixed: before.mixed } : { mixed: turned && seen === failed && mixed ? 1 : 0 };
      // A clock that is behind does not keep anybody's news from being the newest.
      noted.set(key, { ...toldOf(seen), ...ejection, ...seenBy, goodAt: one.goodAt, turns: (before?.turns ?? 0) + (turned ? 1 : 0), at: Math.max(now, (before?.at ?? 0) + 1) });
      agree(one);
      plan.want(urgent);
    }
  }

  async function write(): Promise<void> {
    plan.writing();
    await plan.failSoft(async () => {
      await look();
      await board.write(encodeNotes(noted, ports.now(), strange));
      plan.wrote();
    });
  }

  async function look(): Promise<void> {
    const bytes = await board.read();
    plan.found(bytes !== null);
    take(bytes);
  }

  return {
    freshen(keep) {
      if (!plan.mayRead()) return undefined;
      const reading = plan.mayWrite() ? write() : plan.failSoft(look);
      keep(reading);
      const { promise, resolve } = Promise.withResolvers<void>();
      const cancel = ports.after(waitMs, resolve);
      return Promise.race([reading, promise]).finally(cancel);
    },
    began(neighbours, keep) {
      note(neighbours);
      if (plan.mayWrite()) keep(write());
    },
    ending(seen, neighbours) {
      const one = knownOf(seen);
      const [hadRow, errors, failures] = [inRow(neighbours), seen.errors, seen.failures + 1];
      return (turned, keep) => {
        const failed = seen.errors > errors;
        if (failed) {
          one.sickAt = ports.now();
          rows.add(neighbours);
        }
        one.goodAt = Math.max(one.goodAt, seen.goodAt);
        const goesOn = inRow(neighbours);
        if (!goesOn) rows.delete(neighbours);
        note(turned, { failed: failed ? seen : undefined, rowEnded: hadRow && !goesOn, mixed: () => turned.map(knownOf).filter((each) => each.seen.ejectedUntil !== each.ejectedUntil).length === 1 && failures < clusters[one.cluster]!.outlier.consecutiveFailures });
        if (failed) heed(neighbours);
        if (plan.mayWrite()) keep(write());
      };
    },
  };
}

const nothing: Page = { notes: new Map(), strange: [] };

function agree(one: Known): void {
  one.ejectedUntil = one.seen.ejectedUntil;
  one.trialSince = one.seen.trialSince;
}

function isNews({ failures, errors, streak }: Observation, before: Note | undefined): boolean {
  return failures > (before?.failures ?? 0) || (failures === 0 && (before?.failures ?? 0) > 0) || (streak === 0 && (before?.streak ?? 0) > 0) || Math.abs(errors - (before?.errors ?? 0)) > otherErrors;
}

function endpointsOf(clusters: readonly CompiledCluster[], watched: readonly Watched[]): readonly Known[] {
  return clusters.flatMap(({ name, localities }, cluster) => localities.flatMap(({ region, endpoints }, l) => {
    const neighbours = watched[cluster]!.localities[l]!;
    return endpoints.map((endpoint, e): Known => ({ key: endpointKey(name, region, endpoint), cluster, seen: neighbours[e]!, neighbours, sickAt: -Infinity, goodAt: -Infinity, ejectedUntil: 0, trialSince: -Infinity }));
  }));
}
