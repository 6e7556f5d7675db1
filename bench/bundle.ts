import { gzipSync } from "node:zlib";
import { bundle } from "../cli/serve/bundle.ts";
import { packagePath } from "../cli/serve/root.ts";

/** Size in bytes of what is deployed where the config has no conditions, without the compiled config: minified, and that gzipped. */
export async function measureBundle(): Promise<{ readonly minified: number; readonly gzipped: number }> {
  const worker = await bundle(packagePath("worker/runtime/cloudflare/worker.ts"), false);
  return { minified: worker.length, gzipped: gzipSync(worker, { level: 9 }).length };
}
