import { build } from "esbuild";
import { gzipSync } from "node:zlib";
import { packagePath } from "../cli/serve/root.ts";

/** Size in bytes of what is deployed, without the compiled config: minified, and that gzipped. */
export async function measureBundle(): Promise<{ readonly minified: number; readonly gzipped: number }> {
  const { outputFiles } = await build({
    entryPoints: [packagePath("worker/runtime/cloudflare/worker.ts")],
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    mainFields: ["module", "main"],
    external: ["*.compiled", "cloudflare:*", "node:*"],
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error("Cannot measure the bundle as esbuild must write one file");
  return { minified: file.contents.length, gzipped: gzipSync(file.contents, { level: 9 }).length };
}
