import type { CompiledOutlier } from "../config/compiled.ts";
import { fromUtf8, utf8 } from "../protocol/envelope.ts";
import type { Observation } from "./observation.ts";

/** What isolates of a data centre tell each other of an endpoint: one isolate's observation of it, at one instant. */
export interface Note extends Pick<Observation, (typeof told)[number]> {
  /** How often it went and came back. Only who knew of a turn has made the next one, so a note of more turns knew more. */
  readonly turns: number;
  /** When it was made, by the clock of whoever made it. */
  readonly at: number;
  /** When a call to it last failed; -Infinity: none did. */
  readonly sickAt: number;
  /** The number of the isolate that saw that call fail, and of another one that saw one fail shortly before; 0: nobody. */
  readonly by: number;
  readonly also: number;
  /** 1: who ejected it had good answers from it between the failures, so that it is not that one's own way there that is broken. */
  readonly mixed: number;
}

/** Notes by `endpointKey`, one of each endpoint. */
export type Notes = ReadonlyMap<string, Note>;

/** A board as it was read. */
export interface Page {
  readonly notes: Notes;
  /** Rows that are for others to judge: of endpoints of another config, or from a clock that is ahead of this one. */
  readonly strange: readonly Row[];
}

type Row = readonly [key: string, ...values: number[]];

const told = ["ejectedUntil", "ejections", "trialSince", "failures", "errors", "failedAt", "goodAt", "streak"] as const;
const fields = ["turns", "at", ...told, "sickAt", "by", "also", "mixed"] as const;
/** 0 stands for never, or nobody. */
const instants = ["trialSince", "failedAt", "goodAt", "sickAt"] as const;

const schema = "fairlead-board 3";
/** A board that is larger is not read, in bytes, nor are more notes than these. */
export const mostBytes = 256 * 1024;
const mostNotes = 1000;
/** What is older says nothing any more, and what is farther ahead will not do so soon. */
const oldestMs = 10 * 60_000;
/** Clocks that are believed are no farther apart. */
const skewMs = 10_000;
const most: Readonly<Record<(typeof fields)[number], number>> = {
  turns: 1e9, at: 8.64e15, ejectedUntil: 8.64e15, ejections: 1000, trialSince: 8.64e15, failures: 1000, errors: 1, failedAt: 8.64e15, goodAt: 8.64e15, streak: 1000, sickAt: 8.64e15, by: 2 ** 32, also: 2 ** 32, mixed: 1,
};

/** What of an observation is told. */
export function toldOf(seen: Observation): Pick<Observation, (typeof told)[number]> {
  return Object.fromEntries(told.map((field) => [field, seen[field]])) as Pick<Observation, (typeof told)[number]>;
}

/** The notes that still say something. One that no board shows any more must not outweigh those of isolates that have never seen it. */
export function recentNotes(notes: Notes, now: number): Map<string, Note> {
  return new Map([...notes].filter(([, { at }]) => Math.abs(now - at) < oldestMs));
}

/** The note of each endpoint that knew most. Whoever merges what, in whatever order and how often, comes to the same. */
export function mergeNotes(a: Notes, b: Notes): Map<string, Note> {
  const merged = new Map(a);
  for (const [key, note] of b) keepNewer(merged, key, note);
  return merged;
}

function keepNewer(notes: Map<string, Note>, key: string, note: Note): void {
  const other = notes.get(key);
  if (other === undefined || isNewer(note, other)) notes.set(key, note);
}

/** First by turns, so that who had not heard of an ejection does not undo it, then by time; the same in both are put in an order that all agree on. */
export function isNewer(a: Note, b: Note): boolean {
  const differs = fields.find((field) => a[field] !== b[field]);
  return differs !== undefined && a[differs] > b[differs];
}

/** The board as bytes, the newest rows first, as many as it holds. */
export function encodeNotes(notes: Notes, now: number, strange: Page["strange"] = []): Uint8Array<ArrayBuffer> {
  const own = Array.from(notes, ([key, note]): Row => [key, ...fields.map((field) => Math.max(0, note[field]))]);
  const kept = [...own, ...strange].filter((row) => now - atOf(row) < oldestMs).sort((a, b) => atOf(b) - atOf(a)).slice(0, mostNotes);
  for (let count = kept.length; ; count = count >> 1) {
    const bytes = utf8(JSON.stringify([schema, ...kept.slice(0, count)]));
    if (bytes.length <= mostBytes) return bytes;
  }
}

/**
 * Reads a board, which anybody may have written: whatever it is, nothing is thrown, and what is no row of this time is passed over. `isKnown`
 * says of a key whether the config has it.
 */
export function decodeNotes(bytes: Uint8Array, now: number, isKnown: (key: string) => boolean = () => true): Page {
  const notes = new Map<string, Note>();
  const strange: Row[] = [];
  for (const row of readRows(bytes)) {
    const [key, at] = [row[0], atOf(row)];
    if (Math.abs(now - at) >= oldestMs) continue;
    if (!isKnown(key) || at > now + skewMs) strange.push(row);
    else keepNewer(notes, key, noteOfRow(row));
  }
  return { notes, strange };
}

function readRows(bytes: Uint8Array): Row[] {
  if (bytes.length > mostBytes) return [];
  try {
    const [head, ...rows] = JSON.parse(fromUtf8(bytes)) as unknown[];
    return head === schema ? rows.slice(0, mostNotes).filter(isRow) : [];
  } catch {
    return [];
  }
}

/** Of a cluster, a region and a URL, in letters. */
const longestKey = 4096;

function isRow(row: unknown): row is Row {
  if (!Array.isArray(row) || row.length !== fields.length + 1 || typeof row[0] !== "string" || row[0].length > longestKey) return false;
  return fields.every((field, i) => typeof row[i + 1] === "number" && row[i + 1] >= 0 && row[i + 1] <= most[field]);
}

function atOf(row: Row): number {
  return row[1 + fields.indexOf("at")] as number;
}

function noteOfRow([, ...values]: Row): Note {
  const note = Object.fromEntries(fields.map((field, i) => [field, values[i]])) as unknown as Note;
  return { ...note, ...Object.fromEntries(instants.map((field) => [field, note[field] === 0 ? -Infinity : note[field]])) };
}

/** How an isolate stands to a note that it is to take. */
export interface Taking {
  readonly now: number;
  /** When anybody last had a good answer from the endpoint. */
  readonly goodAt: number;
  /** Whether this isolate's own calls failed there lately: then it knows better than others. */
  readonly failsHere: boolean;
}

/**
 * Lets an isolate know what another one saw of an endpoint, but for an ejection that is new to it: see `heedEjection`. Of two shares of failures the
 * higher one holds: quiet isolates would else find out about half of a gray endpoint only. It makes ejections by share easier, within their cap.
 */
export function takeNote(seen: Observation, note: Note, { now, goodAt, failsHere }: Taking, policy: CompiledOutlier): void {
  const wasOut = seen.ejectedUntil > 0;
  if (wasOut && note.ejectedUntil > 0) heedEjection(seen, note, now, policy);
  else if (wasOut) Object.assign(seen, { ejectedUntil: 0, trialSince: -Infinity, backSince: Math.min(note.at, now) });
  if (wasOut === note.ejectedUntil > 0) seen.errors = Math.max(note.errors, (seen.errors + note.errors) / 2);
  if (goodAt < note.sickAt) seen.failures = Math.max(seen.failures, note.failures);
  else if (!failsHere) seen.failures = Math.min(seen.failures, note.failures);
  if (!failsHere) seen.goodAt = Math.max(seen.goodAt, Math.min(note.goodAt, now));
  if (note.failedAt > seen.failedAt) Object.assign(seen, { failedAt: Math.min(note.failedAt, now), streak: failsHere ? Math.max(seen.streak, note.streak) : note.streak });
  else if (note.streak === 0 && !failsHere) seen.streak = 0;
}

/** Ejects an endpoint that another isolate ejected, or for longer. No note keeps one out for longer than the policy does. */
export function heedEjection(seen: Observation, { ejectedUntil, ejections, trialSince }: Note, now: number, { maxEjectionMs }: CompiledOutlier): void {
  Object.assign(seen, { ejectedUntil: Math.min(ejectedUntil, now + maxEjectionMs), ejections, trialSince: Math.min(trialSince, now) });
}
