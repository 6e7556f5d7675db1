import { spawn } from "node:child_process";
import { frames, framed, suiteMessages, type Address } from "./messages.ts";
import { readSetup } from "./options.ts";
import type { Running } from "./origin.ts";
import { startProxy } from "./proxy.ts";
import { suite } from "./suite.ts";

/**
 * The "client under test" that the suite's runner starts: the suite's own caller, sent through a proxy to each of the
 * runner's origins. ClientCompatRequests come on stdin and go on to the caller with the proxy's address in them; its
 * ClientCompatResponses go to stdout as they are.
 * https://github.com/connectrpc/conformance/blob/v1.0.5/docs/testing_clients.md
 */
const setup = readSetup(process.argv.slice(2));
const { clientRequest } = suiteMessages();
const proxies = new Map<number, Promise<Running>>();
/** The most that a config allows: sizes are the origin's and the caller's business here. */
const requestMessageBytes = 64 * 1024 * 1024;
const parallelism = 4;

const caller = spawn(suite.referenceclient, ["-p", String(parallelism)], { stdio: ["pipe", "inherit", "inherit"] });
const exited = new Promise<number>((resolve) => caller.once("exit", (status) => resolve(status ?? 1)));
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => caller.kill(signal));

for await (const message of frames(process.stdin)) {
  const { host, port } = await proxyFor(clientRequest.decode(message));
  // The request's own bytes stay: of a field that is given twice, the last counts.
  // https://protobuf.dev/programming-guides/encoding/#last-one-wins
  caller.stdin.write(framed(Buffer.concat([message, clientRequest.encode({ host, port })])));
}
caller.stdin.end();
const status = await exited;
await Promise.all([...proxies.values()].map(async (proxy) => (await proxy).stop()));
process.exit(status);

function proxyFor(origin: Address): Promise<Running> {
  const proxy = proxies.get(origin.port) ?? startProxy(origin, setup, requestMessageBytes);
  proxies.set(origin.port, proxy);
  return proxy;
}
