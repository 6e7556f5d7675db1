import { call, type Kind, type Outcome } from "./call.ts";
import { compare } from "./compare.ts";
import { explaining, type Reason } from "./known.ts";

/** One message to send, and the known differences that its text may show. */
export interface Item {
  readonly text: string;
  readonly notes: ReadonlySet<Reason>;
}

export interface Verdict {
  readonly kind: Kind;
  readonly item: Item;
  /** Whether both took it; else both refused it, or one did. */
  readonly taken: boolean;
  /** The known differences that it shows. */
  readonly reasons: readonly Reason[];
  /** A difference beside those. */
  readonly unexplained: string | undefined;
}

export interface Sides {
  /** URLs of an origin that takes JSON, and of the proxy before one that does not. */
  readonly direct: string;
  readonly through: string;
}

/** Sends messages in one call to either side, and judges each; where a side refuses them, each goes in a call of its own. */
export async function judge(sides: Sides, kind: Kind, items: readonly Item[]): Promise<Verdict[]> {
  const texts = items.map(({ text }) => text);
  const [direct, through] = await Promise.all([call(sides.direct, kind, texts), call(sides.through, kind, texts)]);
  if (isWhole(direct, items) && isWhole(through, items)) {
    return items.map((item, i) => verdict(kind, item, only(direct, i), only(through, i)));
  }
  if (items.length === 1) return [verdict(kind, items[0]!, direct, through)];
  const alone: Verdict[] = [];
  for (const item of items) alone.push(...(await judge(sides, kind, [item])));
  return alone;
}

function isWhole({ code, messages }: Outcome, items: readonly Item[]): boolean {
  return code === "ok" && messages.length === items.length;
}

function only(outcome: Outcome, index: number): Outcome {
  return { ...outcome, messages: [outcome.messages[index]] };
}

function verdict(kind: Kind, item: Item, direct: Outcome, through: Outcome): Verdict {
  const { reasons, rest } = compare(direct, through);
  const noted = rest === undefined ? [] : explaining(item.notes, rest.effect);
  const unexplained = rest === undefined || noted.length > 0 ? undefined : `${rest.effect}: ${rest.where}`;
  return { kind, item, taken: direct.code === "ok" && through.code === "ok", reasons: [...new Set([...reasons, ...noted])], unexplained };
}
