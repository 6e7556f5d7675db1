import { build } from "esbuild";

/**
 * A Worker as one module, as wrangler would bundle it; the compiled config, `fairlead.compiled`, stays a module of its own. `conditions`:
 * whether its config may have them.
 */
export async function bundle(entry: string, conditions: boolean): Promise<Uint8Array> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    minify: true,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    mainFields: ["module", "main"],
    define: { FAIRLEAD_CONDITIONS: String(conditions) },
    logLevel: "warning",
    plugins: [
      {
        name: "compiled-config",
        setup: ({ onResolve }) => {
          onResolve({ filter: /\.compiled$/ }, () => ({ path: "fairlead.compiled", external: true }));
          onResolve({ filter: /^(cloudflare|node):/ }, ({ path }) => ({ path, external: true }));
        },
      },
    ],
  });
  return outputFiles[0]!.contents;
}
