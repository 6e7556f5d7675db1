import { parseArgs } from "node:util";
import type { Runtime } from "../cli/serve/serve.ts";
import { startDemo, type Demo } from "./demo.ts";
import { showJourneys } from "./journeys.ts";
import { showPermissions } from "./permissions.ts";
import { show } from "./show.ts";

/**
 * `npm start`: two versions of a library at three places each, the proxy before them, and a page that calls; all on this
 * machine. Makes a call in every dialect, calls with and without a token, and calls from many places, and tells what became of them. Stays up until Ctrl-C;
 * with `--once` it ends after the calls, and exits 1 if one did not go as it should. `--runtime deno` runs the proxy on
 * Deno.
 */
async function main({ once, runtime }: DemoArguments): Promise<void> {
  const demo = await startDemo({ runtime, usualPorts: true });
  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    await demo.stop();
  };
  process.on("SIGINT", () => void stop());
  process.on("SIGTERM", () => void stop());

  // First all calls, then all that is told of them: the proxy's log would stand between the lines.
  const dialects = await show(demo.proxy.url, await demo.signIn.token({ scope: ["books.lend"] }));
  const permissions = await showPermissions(demo.proxy.url, demo.signIn);
  const journeys = await showJourneys(demo.proxy.url);
  console.log(whatRuns(demo, runtime));
  console.log(`\nThe same calls in every dialect, to each version:\n\n${dialects.text}\n`);
  console.log(`Everybody may look; who borrows needs a token with the scope books.lend (proto/fairlead/demo/v1/library.proto):\n\n${permissions.text}\n`);
  console.log(`Calls from many places, 90 % for v1 and 10 % for v2, and why they went where they went:\n\n${journeys.text}\n`);
  const failed = dialects.failed + permissions.failed + journeys.failed;
  if (failed > 0) console.log(`${failed} calls did not go as they should.\n`);
  if (once) {
    process.exitCode = failed === 0 ? 0 : 1;
    return stop();
  }
  console.log(howToCall(demo, await demo.signIn.token({ scope: ["books.lend"] })));
  const code = await demo.proxy.exited;
  // A terminal interrupts the runtime too, and it may be the first to go.
  await new Promise((resolve) => setTimeout(resolve, 100));
  if (stopping) return;
  console.error(`Cannot go on as ${runtime} must stay up: it exited with code ${code}`);
  process.exitCode = 1;
  await stop();
}

interface DemoArguments {
  readonly once: boolean;
  readonly runtime: Runtime;
}

const usage = `npm start [-- --once] [-- --runtime workerd|deno]
  --once      end after the calls; exits 1 if one did not go as it should
  --runtime   what runs the proxy; default: workerd`;

/** What the command line asks for, or why that cannot be, in a sentence. */
function readArguments(): DemoArguments | string {
  try {
    const { values } = parseArgs({ options: { once: { type: "boolean", default: false }, runtime: { type: "string", default: "workerd" } } });
    const { once, runtime } = values;
    return runtime === "workerd" || runtime === "deno" ? { once, runtime } : `Cannot start the demo as --runtime must be workerd or deno: current value is ${runtime}`;
  } catch (error) {
    // parseArgs has a second sentence, on arguments that begin with a dash.
    return `Cannot start the demo: ${(error as Error).message.split(". ")[0]}`;
  }
}

function whatRuns({ proxy, origins }: Demo, runtime: string): string {
  const speaks = { connect: "Connect alone", "grpc-web": "gRPC-Web and protobuf alone" };
  const lines = origins.map(({ cluster, region, url, dialect }) => `${cluster}  ${url}  ${region.padEnd(12)}  speaks ${speaks[dialect]}`);
  return [`proxy       ${proxy.url}  ${runtime}, with fairlead.yaml --env demo`, ...lines].join("\n");
}

function howToCall({ proxy: { url }, page }: Demo, token: string): string {
  const [getBook, borrowBook] = ["fairlead.demo.v1.LibraryService/GetBook", "fairlead.demo.v1.LibraryService/BorrowBook"];
  const json = `-H 'content-type: application/json' -d '{"isbn": "9780140449136"}'`;
  return `Call from a browser, move about, and see where calls go:
  open ${page.url}

Or from here, as a caller in New York who asks why:
  curl -i ${url}/${getBook} \\
    ${json} \\
    -H 'x-demo-latitude: 40.71' -H 'x-demo-longitude: -74.01' -H 'fairlead-explain: 1'
The version that takes no JSON:
  curl -i ${url}/v2/${getBook} \\
    ${json}
And with GET, which caches may keep:
  curl -i -G ${url}/${getBook} \\
    -d encoding=json --data-urlencode 'message={"isbn": "9780140449136"}'
Borrow, with a token that is good for an hour; without it the call is refused:
  curl -i ${url}/${borrowBook} \\
    ${json} \\
    -H 'authorization: Bearer ${token}'

Ctrl-C stops everything.`;
}

const asked = readArguments();
if (typeof asked === "string") {
  console.error(`${asked}\n\n${usage}`);
  process.exitCode = 2;
} else await main(asked);
