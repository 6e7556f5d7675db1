import { tickerFlags } from "./ticker.ts";

/** What stands around the Worker. */
export interface Emulated {
  /** The runtime's compatibility date and flags. */
  readonly date: string;
  readonly flags: readonly string[];
  /** URLs, by the names of bindings. */
  readonly bindings: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
  /** Path of the folder where objects keep what they know. */
  readonly objectsAt: string;
  /** Whether an object sweeps. */
  readonly sweeper: boolean;
  /** Whether objects count for all isolates. */
  readonly tally: boolean;
  readonly isolates: number;
  /** Whether objects probe, one for each region, all on this machine. */
  readonly prober: boolean;
  readonly cfHeader: string | undefined;
  /** Paths of Unix sockets. */
  readonly sockets: { readonly kv: string; readonly tick: string; readonly cache: string };
}

/** https://github.com/cloudflare/workerd/blob/main/src/workerd/server/workerd.capnp */
export function workerdConfig({ date, flags, bindings, secrets, sockets, objectsAt, sweeper, prober, tally, isolates, cfHeader }: Emulated): string {
  const names = Object.keys(bindings);
  const all = [
    '(name = "FAIRLEAD", kvNamespace = "kv")',
    ...(sweeper ? [objectBinding("FAIRLEAD_SWEEPER", "Sweeper")] : []),
    ...(tally ? [objectBinding("FAIRLEAD_TALLY", "Tally")] : []),
    ...(prober ? [objectBinding("FAIRLEAD_PROBER", "Prober")] : []),
    ...names.map((name) => `(name = ${JSON.stringify(name)}, service = ${JSON.stringify(`binding:${name}`)})`),
    ...Object.entries(secrets).map(([name, value]) => `(name = ${JSON.stringify(name)}, text = ${JSON.stringify(value)})`),
  ];
  const services = Array.from({ length: isolates }, (_, i) => (i === 0 ? "main" : `main-${i}`));
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    ${services.map((name) => `(name = "${name}", worker = (
      modules = [
        (name = "worker.js", esModule = embed "worker.js"),
        (name = "fairlead.compiled", data = embed "fairlead.compiled"),
      ],
      compatibilityDate = ${JSON.stringify(date)},
      compatibilityFlags = ${JSON.stringify(flags)},
      bindings = [${all.join(", ")}],
      globalOutbound = "network",
      cacheApiOutbound = "cache",
      ${name === "main" ? objects : ""}
    )),`).join("\n    ")}
    ${isolates === 1 ? "" : `(name = "turns", worker = (
      modules = [(name = "turns.js", esModule = embed "turns.js")],
      compatibilityDate = ${JSON.stringify(date)},
      bindings = [${services.map((name) => `(name = "${name}", service = "${name}")`).join(", ")}],
    )),`}
    (name = "ticker", worker = (
      modules = [(name = "ticker.js", esModule = embed "ticker.js")],
      compatibilityDate = ${JSON.stringify(date)},
      compatibilityFlags = ${JSON.stringify(tickerFlags)},
      bindings = [(name = "MAIN", service = "main")],
    )),
    (name = "kv", external = (address = ${JSON.stringify(`unix:${sockets.kv}`)}, http = ())),
    (name = "cache", external = (address = ${JSON.stringify(`unix:${sockets.cache}`)}, http = ())),
    (name = "objects", disk = (path = ${JSON.stringify(objectsAt)}, writable = true)),
    (name = "network", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true))),
    ${names.map((name) => external(name, bindings[name] ?? "")).join("\n    ")}
  ],
  sockets = [
    (name = "http", address = "127.0.0.1:0", http = (${cfHeader === undefined ? "" : `cfBlobHeader = ${JSON.stringify(cfHeader)}`}), service = "${isolates === 1 ? "main" : "turns"}"),
    (name = "tick", address = ${JSON.stringify(`unix:${sockets.tick}`)}, http = (), service = "ticker"),
  ],
);
`;
}

/** The objects of all isolates are those of the first. */
const objects = `durableObjectNamespaces = [
        (className = "Sweeper", uniqueKey = "fairlead-sweeper", enableSql = true),
        (className = "Prober", uniqueKey = "fairlead-prober", enableSql = true),
        (className = "Tally", uniqueKey = "fairlead-tally", enableSql = true),
      ],
      durableObjectStorage = (localDisk = "objects"),`;

function objectBinding(name: string, className: string): string {
  return `(name = "${name}", durableObjectNamespace = (className = "${className}", serviceName = "main"))`;
}

/** A Worker that hands requests to its bindings in turn, as a data centre does to isolates. */
export const turnsModule = `let turn = 0;
export default {
  fetch(request, bindings) {
    const isolates = Object.values(bindings);
    return isolates[turn++ % isolates.length].fetch(request);
  },
};
`;

function external(name: string, url: string): string {
  const { protocol, hostname, port } = new URL(url);
  const address = JSON.stringify(`${hostname}:${port || (protocol === "https:" ? 443 : 80)}`);
  const over = protocol === "https:" ? `https = (tlsOptions = (trustBrowserCas = true), certificateHost = ${JSON.stringify(hostname)})` : "http = ()";
  return `(name = ${JSON.stringify(`binding:${name}`)}, external = (address = ${address}, ${over})),`;
}
