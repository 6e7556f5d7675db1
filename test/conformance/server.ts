import { startGate } from "./gate.ts";
import { frames, framed, protocol, suiteMessages } from "./messages.ts";
import { readSetup, type Setup } from "./options.ts";
import { startOrigin, type Running } from "./origin.ts";
import { startProxy } from "./proxy.ts";
import { startTextShim } from "./text-shim.ts";

/**
 * The "server under test" that the suite's runner starts, once for each protocol: the proxy with the suite's own
 * server behind it. A ServerCompatRequest comes on stdin, a ServerCompatResponse with the proxy's address goes to
 * stdout; SIGTERM ends it.
 * https://github.com/connectrpc/conformance/blob/v1.0.5/docs/testing_servers.md
 */
const setup = readSetup(process.argv.slice(2));
const { serverRequest, serverResponse } = suiteMessages();
const running: Running[] = [];

for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void stop());

for await (const message of frames(process.stdin)) {
  const request = serverRequest.decode(message);
  // No limit behind the proxy: that it holds callers to one is for the proxy to show.
  const origin = await up(startOrigin({ ...originRequest(setup, request.protocol), httpVersion: request.httpVersion }));
  const gated = setup.origin === "same" && !setup.recode ? origin : await up(startGate(origin, setup));
  const proxy = await up(startProxy(gated, setup, request.messageReceiveLimit));
  const front = setup.text ? await up(startTextShim(proxy)) : proxy;
  process.stdout.write(framed(serverResponse.encode({ host: front.host, port: front.port })));
}

async function up(starting: Promise<Running>): Promise<Running> {
  const started = await starting;
  running.push(started);
  return started;
}

function originRequest({ origin }: Setup, callers: number): { protocol: number; messageReceiveLimit: number } {
  const spoken = { same: callers, connect: protocol.connect, "grpc-web": protocol.grpcWeb }[origin];
  return { protocol: spoken, messageReceiveLimit: 0 };
}

async function stop(): Promise<void> {
  await Promise.all(running.map((part) => part.stop()));
  process.exit(0);
}
