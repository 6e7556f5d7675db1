import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { table } from "../../cli/table.ts";
import { writeEnvelope } from "../../worker/core/protocol/envelope.ts";
import { openCallers } from "./callers.ts";
import { callPath, type Endpoint, endpoints, type Fault, faults, grayFactor, healthPath, idHeader, message, now, perSecond, sickOf, workMs } from "./layout.ts";
import { type Origins, startOrigins } from "./origins.ts";
import { originsOf } from "./wires.ts";

/** A reply that has not come after so many milliseconds does not come. */
const silence = 600;

/** Calls the origins directly, in every fault, and an open loop at one; prints what each did. Gives whether all is as it should be. */
export async function prove(): Promise<boolean> {
  const origins = await startOrigins();
  try {
    const rows: Row[] = [...(await proveLoad(origins))];
    for (const fault of faults) rows.push(...(await proveFault(origins, fault)));
    console.log(table(["fault", "when", "endpoint", "what", "is", "ok"], rows.map(({ ok, cells }) => [...cells, ok ? "ok" : "WRONG"])));
    return rows.every(({ ok }) => ok);
  } finally {
    origins.stop();
  }
}

interface Row {
  readonly cells: readonly string[];
  readonly ok: boolean;
}

async function proveLoad(origins: Origins): Promise<Row[]> {
  const rows: Row[] = [];
  for (const index of [0, 8]) {
    const callers = openCallers(origins.urls[index]!);
    const start = now() + 50;
    const calls = await callers.run(start, 5);
    callers.close();
    const rate = ((calls.length - 1) / (calls.at(-1)!.sent - start)) * 1000;
    const latencies = calls.map(({ due, ended }) => ended - due).sort((a, b) => a - b);
    const good = calls.every(({ outcome, by }) => outcome === "ok" && by === index);
    const least = endpoints[index]!.rttMs + workMs;
    const is = `${rate.toFixed(1)}/s, ${calls.length} calls ${good ? "good" : "BAD"}, p50 ${latencies[500]!.toFixed(1)}, max ${latencies.at(-1)!.toFixed(1)} ms`;
    rows.push({ cells: ["", "5 s", endpoints[index]!.name, "load", is], ok: good && Math.abs(rate / perSecond - 1) < 0.01 && Math.abs(latencies[500]! - least) < 4 });
  }
  return rows;
}

/** Two calls and a health check to each endpoint before, during and after the fault, and a call that is under way when it begins. */
async function proveFault(origins: Origins, fault: Fault): Promise<Row[]> {
  const askAll = async (when: string, failing: readonly number[]) => {
    const rows: Row[] = [];
    for (const [index, endpoint] of endpoints.entries()) {
      const said: Said[] = [];
      // On connections that are kept: those of before meet the fault.
      for (const what of asked) said.push(await ask(origins.urls[index]!, what, fault));
      const ok = failing.includes(index) ? fails[fault](said, endpoint) : said.every((one, i) => isGood(one, asked[i]!, endpoint));
      rows.push({ cells: [fault, when, endpoint.name, "call, call, check", said.map(shown).join(" | ")], ok });
    }
    return rows;
  };
  const before = await askAll("before", []);
  const underWay = ask(origins.urls[0]!, "call", fault);
  await sleep(2);
  await origins.set(fault, true);
  const met = await underWay;
  const during = await askAll("during", sickOf(fault));
  await origins.set(fault, false);
  const after = await askAll("after", []);
  return [...before, { cells: [fault, "as it began", "near-0", "call", shown(met)], ok: underWayMeets(fault, met) }, ...during, ...after].filter(({ ok, cells: [, when, name] }) => !ok || name === "near-0" || (when === "during" && name?.endsWith("-0")));
}

const asked = ["call", "call", "check"] as const;
type Asked = (typeof asked)[number];

interface Said {
  /** The status and the body, or what befell the connection. */
  readonly text: string;
  readonly ms: number;
}

const unavailable = `503 {"code":"unavailable"`;

/** Whether two calls and a check fared as they should at an endpoint that fails. */
const fails: Record<Fault, (said: readonly Said[], endpoint: Endpoint) => boolean> = {
  refused: (said) => said.every(({ text }) => text === "ECONNREFUSED"),
  blackhole: (said) => said.every(({ text }) => text === "silence"),
  unavailable: (said) => said.every(({ text }) => text.startsWith(unavailable)),
  "trailers-only": (said) => said.every(({ text }) => text.startsWith("200 \u0080") && text.slice(9).startsWith("grpc-status: 14\r\n")),
  gray([first, second, check], endpoint) {
    const times = grayFactor;
    return first!.text.startsWith(unavailable) && isGood(second!, "call", endpoint, times) && isGood(check!, "check", endpoint, times);
  },
};

/** A cut connection or silence meets calls under way; the other faults meet those that come. */
function underWayMeets(fault: Fault, { text }: Said): boolean {
  return fault === "refused" ? text === "ECONNRESET" : fault === "blackhole" ? text === "silence" : text.startsWith("200 ");
}

function isGood({ text, ms }: Said, what: Asked, { name, rttMs }: Endpoint, times = 1): boolean {
  const least = (rttMs + workMs) * times;
  return text === `200 ${what === "call" ? message(name).toString("latin1") : "\u0008\u0001"}` && ms >= least - 1 && ms < least + 30;
}

function shown({ text, ms }: Said): string {
  return `${text.slice(0, 24).replaceAll(/[^\x20-\x7e]/g, "·")} (${ms.toFixed(0)} ms)`;
}

function ask(url: string, what: Asked, fault: Fault): Promise<Said> {
  const web = originsOf(fault) === "grpc-web";
  const body = what === "call" ? message("drill") : new Uint8Array();
  const begin = performance.now();
  return new Promise((resolve) => {
    const end = (text: string) => resolve({ text, ms: performance.now() - begin });
    const outgoing = request(url + (what === "call" ? callPath : healthPath), { method: "POST", timeout: silence, headers: { "content-type": `application/${web ? "grpc-web+proto" : "proto"}`, [idHeader]: "1" } });
    outgoing.once("response", async (response) => {
      const body = Buffer.concat(await response.toArray()).toString("latin1");
      // The message out of its envelope, where a trailer frame with status 0 follows.
      const whole = web && body.charCodeAt(0) === 0 && body.endsWith("grpc-status: 0\r\n") ? body.slice(5, 5 + body.charCodeAt(4)) : body;
      end(`${response.statusCode} ${whole}`);
    });
    outgoing.on("timeout", () => {
      end("silence");
      outgoing.destroy();
    });
    outgoing.on("error", (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
    outgoing.end(web ? writeEnvelope(0, body) : body);
  });
}
