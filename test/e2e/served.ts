import { readFileSync } from "node:fs";
import { type Runtime, serve, type ServeOptions } from "../../cli/serve/serve.ts";

/** `node served.ts RUNTIME ARTIFACT OPTIONS`: serves, with more of `ServeOptions` in JSON, and tells its URL and process id in one line of JSON; its stderr is the proxy's. Its KV is read and written by messages, and it is given another artifact. */
const [runtime = "", artifact = "", options = "{}"] = process.argv.slice(2);
const served = await serve({ artifact: new Uint8Array(readFileSync(artifact)), runtime: runtime as Runtime, port: 0, ...(JSON.parse(options) as Partial<ServeOptions>) });
process.once("SIGTERM", () => void served.stop().then(() => process.exit(0)));
process.on("message", async ({ verb, key, bytes }: { verb: "get" | "put" | "reload"; key: string; bytes: Uint8Array<ArrayBuffer> }) => {
  if (verb === "reload") await served.reload(bytes);
  process.send!(verb === "get" ? await served.store!.get(key) : verb === "put" ? ((await served.store!.put(key, bytes)) ?? null) : null);
});
process.stdout.write(`${JSON.stringify({ url: served.url, pid: served.pid })}\n`);
