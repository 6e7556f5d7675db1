import type { Served } from "../cli/serve/serve.ts";
import { type LoadOptions, post } from "./load.ts";
import { chunk, chunks, getBook, listBooks, reply, request } from "./messages.ts";
import type { Options } from "./options.ts";
import { type Case, type Measured, measureRounds } from "./rounds.ts";
import { cheapest, empty, serveProxy, serveScript } from "./workers.ts";
import { writeEnvelope } from "../worker/core/protocol/envelope.ts";

const unaryProto = post(getBook, "application/proto", request.proto);
const unaryJson = post(getBook, "application/json", request.json);
const streamProto = post(listBooks, "application/connect+proto", writeEnvelope(0, request.proto));

/** Unary calls of 15 bytes with replies of 100, 16 at a time; CPU in microseconds a call. */
export async function measureUnary(origin: string, { rounds, seconds }: Options): Promise<Measured[]> {
  const both = "PROTO, JSON";
  const cases = await served([
    ["cheapest", unaryProto, serveScript(cheapest(origin))],
    ["empty", unaryProto, serveScript(empty)],
    ["pass", unaryProto, serveProxy(origin, { dialect: "CONNECT", codecs: both, streams: "WATCHED" })],
    ["reframe", unaryProto, serveProxy(origin, { dialect: "GRPC_WEB", codecs: both, streams: "WATCHED" })],
    ["recode", unaryJson, serveProxy(origin, { dialect: "CONNECT", codecs: "PROTO", streams: "WATCHED" })],
  ]);
  return measured(cases, async () => {
    for (const { name, served, request } of cases) await mustAnswer(name, served, request);
    return measureRounds(cases, { rounds, seconds, connections: 16, work: ({ calls }) => calls });
  });
}

/** Server streams of 64 messages of 1 MiB, one stream at a time; CPU in microseconds a MiB. */
export async function measureStreams(origin: string, { rounds, seconds }: Options): Promise<Measured[]> {
  const watched = { dialect: "CONNECT", codecs: "PROTO, JSON", streams: "WATCHED" } as const;
  const cases = await served([
    ["cheapest", streamProto, serveScript(cheapest(origin))],
    ["blind", streamProto, serveProxy(origin, { ...watched, streams: "BLIND" })],
    ["watched", streamProto, serveProxy(origin, watched)],
  ]);
  return measured(cases, () =>
    measureRounds(cases, {
      rounds,
      seconds,
      connections: 1,
      work({ calls, bytes }) {
        if (bytes < calls * chunks * chunk.length) throw new Error(`Cannot go on as streams must be whole: current mean is ${Math.round(bytes / calls)} bytes`);
        return bytes / (1 << 20);
      },
    }),
  );
}

export async function served(wanted: readonly (readonly [name: string, request: LoadOptions["request"], served: Promise<Served>])[]): Promise<Case[]> {
  return Promise.all(wanted.map(async ([name, request, server]) => ({ name, request, served: await server })));
}

export async function measured(cases: readonly Case[], measure: () => Promise<Measured[]>): Promise<Measured[]> {
  try {
    return await measure();
  } finally {
    await Promise.all(cases.map(({ served }) => served.stop()));
  }
}

/** Asks once, and looks at the answer: nothing is gained by measuring how fast a mistake is. */
async function mustAnswer(name: string, { url }: Served, raw: LoadOptions["request"]): Promise<void> {
  if (name === "empty") return;
  const json = raw === unaryJson;
  const response = await fetch(url + getBook, {
    method: "POST",
    headers: { "content-type": json ? "application/json" : "application/proto" },
    body: json ? request.json : request.proto,
  });
  const body = Buffer.from(await response.arrayBuffer());
  const good = json ? body.includes('"isbn":"9780140449136"') : body.equals(reply);
  if (response.status !== 200 || !good) throw new Error(`Cannot measure "${name}" as it must answer: HTTP ${response.status} ${body.toString().slice(0, 200)}`);
}
