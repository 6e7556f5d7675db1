import type { Observation } from "../../worker/core/balance/observation.ts";
import type { Picked } from "../../worker/core/balance/pick.ts";
import type { Snapshot } from "../../worker/core/balance/snapshot.ts";
import type { Choosing } from "../../worker/proxy/choosing.ts";
import type { Ports } from "../../worker/proxy/ports.ts";
import type { Colo } from "./fleet.ts";
import { endpointsIn } from "./locality.ts";
import { nameOf, regionOf } from "./origins.ts";
import type { Seeded } from "./seeded.ts";

/** What isolates of a data centre tell each other of an endpoint; `at` by the clock of whoever wrote it. */
export type Note = Pick<Observation, "ejectedUntil" | "ejections" | "trialSince" | "failures" | "errors" | "latency"> & { readonly at: number };

/** Of each data centre what was noted there, by the endpoint's URL. */
export type Board = Map<string, Note>;

export interface Sharing {
  /** How long a call waits for a read where what is known is older than a second; 0: it is read in the background. */
  readonly waitMs: number;
  /** `ejections`: those, trials and returns. `all`: failures in a row and the rates, too, of whoever does not do well; at most once a second. */
  readonly what: "ejections" | "all";
}

const freshMs = 1000;
/** An endpoint that fails more often than this is worth a note. */
const worthNoting = 0.02;

export interface BoardReader {
  /** To be awaited by a call before it picks, where it is a promise. */
  freshen(): Promise<void> | undefined;
  /** A choosing that puts on the board what it finds out. */
  telling(inner: Choosing): Choosing;
  /** To be told of each pick: a trial is put on the board, too. */
  picked(picked: Picked): void;
}

/** Not built: a prototype. The Cache API answers in a few milliseconds, and takes as long to be written to. */
export function boardReader(board: Board, { index }: Colo, { now, after }: Ports, random: Seeded, { waitMs, what }: Sharing, snapshot: () => Snapshot, changed: () => void): BoardReader {
  const told = new Map<string, Note>();
  let readAt = -Infinity;
  const delay = (): number => 1 + 5 * random.uniform();
  const keyOf = (url: string): string => `${index} ${url}`;

  function put(url: string, { ejectedUntil, ejections, trialSince, failures, errors, latency }: Observation): void {
    const before = told.get(url);
    const isTurn = ejectedUntil !== (before?.ejectedUntil ?? 0) || trialSince !== (before?.trialSince ?? -Infinity);
    const isBad = failures > 0 || errors > worthNoting || (before?.failures ?? 0) > 0;
    const isLess = what === "all" && isBad && now() - (before?.at ?? -Infinity) >= freshMs;
    if (!isTurn && !isLess) return;
    const note: Note = { at: now(), ejectedUntil, ejections, trialSince, failures, errors, latency };
    told.set(url, note);
    after(delay(), () => board.set(keyOf(url), note));
  }

  function take(): void {
    for (const { endpoint: { url }, seen } of snapshot().clusters.flatMap(({ localities }) => localities.flatMap(({ endpoints }) => endpoints))) {
      const note = board.get(keyOf(url));
      if (note === undefined || note.at <= (told.get(url)?.at ?? -Infinity)) continue;
      told.set(url, note);
      if (note.ejectedUntil === 0 && seen.ejectedUntil > 0) Object.assign(seen, { ejectedUntil: 0, backSince: note.at, errors: 0 });
      else if (note.ejectedUntil > 0) Object.assign(seen, { ejectedUntil: note.ejectedUntil, ejections: note.ejections, failures: 0 });
      seen.trialSince = note.trialSince;
      if (what === "all") {
        seen.failures = note.failures === 0 ? 0 : Math.max(seen.failures, note.failures);
        seen.errors = Math.max(note.errors, (seen.errors + note.errors) / 2);
        seen.latency = note.latency === 0 ? seen.latency : note.latency;
      }
      changed();
    }
  }

  return {
    freshen() {
      if (now() - readAt < freshMs) return undefined;
      readAt = now();
      const { promise, resolve } = Promise.withResolvers<void>();
      after(delay(), () => {
        take();
        resolve();
      });
      if (waitMs === 0) return undefined;
      after(waitMs, resolve);
      return promise;
    },
    telling: (inner) => ({
      ...inner,
      ended(cluster, picked, outcome) {
        inner.ended(cluster, picked, outcome);
        for (const { endpoint, seen } of endpointsIn(snapshot(), regionOf(nameOf(picked.endpoint)))) put(endpoint.url, seen);
      },
    }),
    picked({ endpoint, seen }) {
      if (seen.trialSince === now()) put(endpoint.url, seen);
    },
  };
}
