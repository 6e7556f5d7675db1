import { choosing, type Choosing, type Known } from "../../worker/proxy/choosing.ts";
import type { Ports } from "../../worker/proxy/ports.ts";
import { type BoardReader, boardReader } from "./board.ts";
import type { Seat } from "./fleet.ts";
import type { World } from "./isolate.ts";
import { localityEjecting, rateEjecting } from "./locality.ts";
import type { Seeded } from "./seeded.ts";

/** What an isolate's calls pick from by a strategy: the proxy's own `choosing`, and around it what the strategy leaves out or tries out. */
export function chooserOf({ colo }: Seat, { config, strategy, board }: World, ports: Ports, known: Known, random: Seeded): { readonly choosing: Choosing; readonly reader: BoardReader | undefined } {
  let changes = 0;
  const changed = (): void => void changes++;
  const inner = choosing(config, ports, { ...known, revision: () => known.revision() + changes });
  if (!strategy.learns) return { choosing: forgetful(inner), reader: undefined };
  const { localityAfter, rateAfter } = strategy;
  const byRegion = localityAfter === undefined ? inner : localityEjecting(inner, localityAfter, config, ports.now, changed);
  const ejecting = rateAfter === undefined ? byRegion : rateEjecting(byRegion, rateAfter, config, ports.now, changed);
  if (strategy.board === undefined) return { choosing: ejecting, reader: undefined };
  const reader = boardReader(board, colo, ports, random, strategy.board, inner.snapshot, changed);
  const freshen = (): Promise<void> | undefined => {
    const [table, notes] = [known.freshen(() => {}), reader.freshen()];
    return table !== undefined && notes !== undefined ? Promise.all([table, notes]).then(() => undefined) : (table ?? notes);
  };
  return { choosing: { ...reader.telling(ejecting), freshen }, reader };
}

/** Picks as ever, and learns nothing from calls. */
function forgetful(inner: Choosing): Choosing {
  return { ...inner, ended: (_, { seen }) => void seen.pending-- };
}
