import type { Algorithm } from "../../gen/fairlead/config/v1/auth_pb.js";
import { strictJson } from "../../worker/core/auth/json.ts";
import { chooseKey, readKeySet } from "../../worker/core/auth/keys.ts";
import type { Checking } from "./checking.ts";
import { algorithmName } from "./compile-auth.ts";
import type { Path } from "./issue.ts";

type Key = Readonly<Record<string, unknown>>;

/** Parts that only a private key has: https://www.rfc-editor.org/rfc/rfc7518#section-6 */
const privateParts = ["d", "p", "q", "dp", "dq", "qi", "oth"];

/** Reports a JSON Web Key Set that cannot verify what it is for, or that says what must not be known. */
export function checkKeySet(text: string, algorithms: readonly Algorithm[], path: Path, { tree, report }: Checking): void {
  const keys = keysIn(text);
  if (keys === undefined) return report.of(tree, path, 'must be a JSON Web Key Set: {"keys":[…]}');
  for (const [i, key] of keys.entries()) {
    const refusal = refusalOf(key);
    if (refusal !== undefined) report.of(tree, path, `must hold public keys alone: keys[${i}] ${refusal}`);
    const first = keys.findIndex((other) => key["kid"] !== undefined && other["kid"] === key["kid"]);
    if (first !== -1 && first < i) report.of(tree, path, `must give each key a kid of its own: keys[${first}] and keys[${i}] have ${JSON.stringify(key["kid"])}`);
  }
  const usable = readKeySet(strictJson(new TextEncoder().encode(text)));
  if (usable === undefined) return report.of(tree, path, "must name each member of an object once: readers differ in which of two they believe");
  const names = algorithms.map(algorithmName);
  if (names.length > 0 && keys.every((key) => refusalOf(key) === undefined) && !names.some((name) => usable.some((key) => chooseKey([key], name, undefined) === key))) {
    report.of(tree, path, `must hold a key for one of the algorithms, ${names.join(", ")}: a public signature key, of 2048 bits at least if it is RSA`);
  }
}

/** The keys of a set; undefined where the text is none. */
export function keysIn(text: string): Key[] | undefined {
  try {
    const { keys } = JSON.parse(text) as { keys?: unknown };
    return Array.isArray(keys) && keys.every((key) => typeof key === "object" && key !== null && !Array.isArray(key)) ? (keys as Key[]) : undefined;
  } catch {
    return undefined;
  }
}

function refusalOf(key: Key): string | undefined {
  if (key["kty"] === "oct" || key["k"] !== undefined) return "is symmetric: whoever knows it can sign with it";
  return privateParts.some((part) => key[part] !== undefined) ? "is a private one: whoever reads this file could sign with it. Withdraw it" : undefined;
}
