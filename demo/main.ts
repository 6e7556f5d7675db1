import { parseArgs } from "node:util";
import { serve } from "../cli/serve/serve.ts";
import { startOrigin } from "./origins.ts";
import { portOrAny } from "./port.ts";
import { demoArtifact } from "./proxy.ts";
import { show } from "./show.ts";

/**
 * `npm start`: two origins, the proxy before them, and a call in every dialect; all on this machine. Stays up until
 * Ctrl-C; with `--once` it ends after the calls, and exits 1 if one did not go as it should. `--runtime deno` runs the
 * proxy on Deno.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { once: { type: "boolean", default: false }, runtime: { type: "string", default: "workerd" } } });
  const connect = await startOrigin({ dialect: "connect", port: await portOrAny(8081) });
  const grpcWeb = await startOrigin({ dialect: "grpc-web", port: await portOrAny(8082) });
  const moved = new Map([["http://127.0.0.1:8081", connect.url], ["http://127.0.0.1:8082", grpcWeb.url]]);
  const runtime = values.runtime === "deno" ? "deno" : "workerd";
  const served = await serve({ artifact: await demoArtifact(moved), runtime, port: await portOrAny(8080) });
  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    await Promise.all([served.stop(), connect.stop(), grpcWeb.stop()]);
  };
  process.on("SIGINT", () => void stop());
  process.on("SIGTERM", () => void stop());

  console.log(`proxy            ${served.url}  (${runtime}, fairlead.yaml)`);
  console.log(`library-connect  ${connect.url}  (an origin that speaks Connect alone)`);
  console.log(`library-grpc-web ${grpcWeb.url}  (an origin that speaks gRPC-Web and protobuf alone)\n`);
  const { text, failed } = await show(served.url);
  console.log(`${text}\n`);
  if (failed > 0) console.log(`${failed} calls did not go as they should.\n`);
  if (values.once) {
    process.exitCode = failed === 0 ? 0 : 1;
    return stop();
  }
  console.log(howToCall(served.url));
  const code = await served.exited;
  // A terminal interrupts the runtime too, and it may be the first to go.
  await new Promise((resolve) => setTimeout(resolve, 100));
  if (stopping) return;
  console.error(`Cannot go on as ${runtime} must stay up: it exited with code ${code}`);
  process.exitCode = 1;
  await stop();
}

function howToCall(url: string): string {
  return `Call it yourself:
  curl -i ${url}/fairlead.demo.v1.LibraryService/GetBook -H 'content-type: application/json' -d '{"isbn": "9780140449136"}'
The same, from the origin that takes no JSON:
  curl -i ${url}/grpc-web/fairlead.demo.v1.LibraryService/GetBook -H 'content-type: application/json' -d '{"isbn": "9780140449136"}'
And with GET, which caches may keep:
  curl -i -G ${url}/fairlead.demo.v1.LibraryService/GetBook -d encoding=json --data-urlencode 'message={"isbn": "9780140449136"}'

Ctrl-C stops everything.`;
}

await main();
