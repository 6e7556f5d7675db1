/** What the package exports: a proxy to build on, and the types around it. */
export type { CompiledConfig } from "./core/config/compiled.ts";
export { decodeArtifact, encodeArtifact, type LoadedConfig } from "./core/config/artifact.ts";
export type { Code } from "./core/protocol/code.ts";
export type { End } from "./core/protocol/end.ts";
export { Fields } from "./core/protocol/fields.ts";
export type { Call, Reply } from "./proxy/call.ts";
export { type Handler, type Layer, refuse } from "./proxy/layer.ts";
export type { ConnectionFacts, LogEntry, Ports, Transport, UpstreamReply, UpstreamRequest } from "./proxy/ports.ts";
export { createProxy, type Proxy, type ProxyOptions } from "./proxy/proxy.ts";
