import type { ApiKeys, ClientCertificates } from "../../gen/fairlead/config/v1/auth_pb.js";
import { isMetadata } from "../../worker/core/protocol/metadata.ts";
import type { Checking } from "./checking.ts";
import { apiKeyHeader } from "./compile-auth.ts";
import type { Path } from "./issue.ts";

/** Reports API keys that nobody can show, or that stand for two. */
export function checkApiKeys({ header, keys, stored }: ApiKeys, path: Path, { config, tree, report }: Checking): void {
  const name = apiKeyHeader(header);
  if (["authorization", "cookie"].includes(name) || !isMetadata(name)) report.of(tree, [...path, "header"], `must be a header of its own, which callers may set: current value is "${name}"`);
  if (keys.length === 0 && !stored) report.of(tree, path, "must have keys, or stored: true: nobody could show one", { key: true });
  const all = Object.entries(config.auth!.providers).flatMap(([provider, { apiKeys }]) => (apiKeys?.keys ?? []).map(({ sha256 }, i) => ({ sha256, at: `${provider}.api_keys.keys[${i}]` })));
  for (const [i, { sha256 }] of keys.entries()) {
    const own = `${path.at(-2)}.api_keys.keys[${i}]`;
    const first = all.find((key) => key.sha256 === sha256);
    if (sha256 !== "" && first !== undefined && first.at !== own) report.of(tree, [...path, "keys", i, "sha256"], `must stand for one: ${first.at} has the same key`);
  }
}

/** Reports certificates that stand for two. */
export function checkCertificates({ allowed, trustedHeader }: ClientCertificates, path: Path, { tree, report }: Checking): void {
  const mayBe = trustedHeader === "" || trustedHeader.startsWith("x-forwarded-") || isMetadata(trustedHeader);
  if (!mayBe || ["authorization", "cookie"].includes(trustedHeader)) report.of(tree, [...path, "trusted_header"], `must be a header that the front alone writes: current value is "${trustedHeader}"`);
  for (const [i, { sha256, subject }] of allowed.entries()) {
    const first = allowed.findIndex((other) => other.sha256 === sha256 && other.subject === subject);
    if (first < i) report.of(tree, [...path, "allowed", i, sha256 === "" ? "subject" : "sha256"], `must stand for one: allowed[${first}] has it too`);
  }
}
