import { build } from "esbuild";
import { packagePath } from "../../cli/serve/root.ts";

/** The page's script as one file, connect-web in it. */
export async function bundleClient(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [packagePath("demo/page/client/main.ts")],
    bundle: true,
    format: "esm",
    target: "es2022",
    minify: true,
    write: false,
    logLevel: "warning",
  });
  return outputFiles[0]?.text ?? "";
}
