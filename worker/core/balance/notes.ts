import type { CompiledOutlier } from "../config/compiled.ts";
import { fromUtf8, utf8 } from "../protocol/envelope.ts";
import type { Observation } from "./observation.ts";

/** What isolates of a data centre tell each other of an endpoint: one isolate's observation of it, at one instant. */
export interface Note extends Pick<Observation, (typeof told)[number]> {
  /** When it was made, by the clock of whoever made it. */
  readonly at: number;
}

/** Notes by `endpointKey`, the newest of each endpoint. */
export type Notes = ReadonlyMap<string, Note>;

const told = ["ejectedUntil", "ejections", "trialSince", "failures", "errors", "latency", "failedAt", "goodAt", "streak"] as const;
const fields = ["at", ...told] as const;

const schema = "fairlead-board 1";
/** A board that is larger is not read, in bytes, nor are more notes than these. */
const mostBytes = 256 * 1024;
const mostNotes = 1000;
/** What is older says nothing any more. */
const oldestMs = 10 * 60_000;
/** Clocks of one data centre are no farther apart. */
const skewMs = 10_000;
const most: Readonly<Record<(typeof fields)[number], number>> = {
  at: 8.64e15, ejectedUntil: 8.64e15, ejections: 1000, trialSince: 8.64e15, failures: 1000, errors: 1, latency: 3_600_000, failedAt: 8.64e15, goodAt: 8.64e15, streak: 1000,
};

export function noteOf(seen: Observation, at: number): Note {
  return { at, ...(Object.fromEntries(told.map((field) => [field, seen[field]])) as Pick<Observation, (typeof told)[number]>) };
}

/** The newest note of each endpoint. Whoever merges what, in whatever order and how often, comes to the same. */
export function mergeNotes(a: Notes, b: Notes): Map<string, Note> {
  const merged = new Map(a);
  for (const [key, note] of b) {
    const other = merged.get(key);
    if (other === undefined || isNewer(note, other)) merged.set(key, note);
  }
  return merged;
}

/** Two of the same instant are put in an order that all agree on. */
export function isNewer(a: Note, b: Note): boolean {
  const differs = fields.find((field) => a[field] !== b[field]);
  return differs !== undefined && a[differs] > b[differs];
}

/** The notes as bytes, the newest first, as many as a board holds. */
export function encodeNotes(notes: Notes, now: number): Uint8Array<ArrayBuffer> {
  const kept = [...notes].filter(([, { at }]) => now - at < oldestMs).sort(([, a], [, b]) => b.at - a.at).slice(0, mostNotes);
  for (let count = kept.length; ; count = count >> 1) {
    const rows = kept.slice(0, count).map(([key, note]) => [key, ...fields.map((field) => Math.max(0, note[field]))]);
    const bytes = utf8(JSON.stringify([schema, ...rows]));
    if (bytes.length <= mostBytes) return bytes;
  }
}

/** Reads a board, which anybody may have written: whatever it is, nothing is thrown, and what is no note of this time is passed over. */
export function decodeNotes(bytes: Uint8Array, now: number): Notes {
  if (bytes.length > mostBytes) return new Map();
  try {
    const [head, ...rows] = JSON.parse(fromUtf8(bytes)) as unknown[];
    if (head !== schema) return new Map();
    return new Map(rows.slice(0, mostNotes).flatMap((row) => readRow(row, now)));
  } catch {
    return new Map();
  }
}

function readRow(row: unknown, now: number): [string, Note][] {
  if (!Array.isArray(row) || row.length !== fields.length + 1) return [];
  const [key, ...values] = row as unknown[];
  const isGood = typeof key === "string" && fields.every((field, i) => typeof values[i] === "number" && values[i] >= 0 && values[i] <= most[field]);
  if (!isGood) return [];
  const note = Object.fromEntries(fields.map((field, i) => [field, values[i]])) as unknown as Note;
  if (note.at > now + skewMs || note.at <= now - oldestMs) return [];
  return [[key, { ...note, trialSince: instant(note.trialSince), failedAt: instant(note.failedAt), goodAt: instant(note.goodAt) }]];
}

/** 0 stands for never. */
function instant(ms: number): number {
  return ms === 0 ? -Infinity : ms;
}

/** Lets an isolate know what another one saw of an endpoint. No note keeps one out for longer than the policy does. */
export function takeNote(seen: Observation, note: Note, now: number, { maxEjectionMs }: CompiledOutlier): void {
  if (note.ejectedUntil > 0) Object.assign(seen, { ejectedUntil: Math.min(note.ejectedUntil, now + maxEjectionMs), ejections: note.ejections });
  else if (seen.ejectedUntil > 0) Object.assign(seen, { ejectedUntil: 0, backSince: Math.min(note.at, now) });
  seen.trialSince = Math.min(note.trialSince, now);
  seen.failures = note.failures === 0 ? 0 : Math.max(seen.failures, note.failures);
  seen.errors = Math.max(note.errors, (seen.errors + note.errors) / 2);
  if (note.latency > 0) seen.latency = note.latency;
  seen.goodAt = Math.max(seen.goodAt, Math.min(note.goodAt, now));
  if (note.failedAt > seen.failedAt || note.streak === 0) Object.assign(seen, { failedAt: Math.min(note.failedAt, now), streak: note.streak });
}
