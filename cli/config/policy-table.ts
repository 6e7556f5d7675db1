import type { Called } from "../../worker/core/auth/policy.ts";
import type { CompiledConfig } from "../../worker/core/config/compiled.ts";
import { type CompiledAuth, type CompiledPolicy, type CompiledRateLimit, type CompiledRequirement, schemaSource } from "../../worker/core/config/compiled-auth.ts";
import { table } from "../table.ts";
import { elsewhere, type Held, heldBy, takes } from "./policies.ts";

/**
 * A table of every known method, who may call it, and where that was said; whoever meets one of several lines may call. Where rules name
 * hosts or base paths it tells by which name, too.
 */
export function policyTable({ methods, auth }: CompiledConfig): string {
  const narrowed = auth.policies.some(({ match }) => match.host !== null || match.basePath !== null);
  const rows = methods.flatMap(({ path }) => byName(path, auth).flatMap(([name, held], i) => rowsOf(held, auth).map((row, j) => [i + j === 0 ? path : "", j === 0 ? name : "", ...row])));
  return narrowed ? table(["method", "called by", "who may call", "said in"], rows) : table(["method", "who may call", "said in"], rows.map(([path = "", , ...rest]) => [path, ...rest]));
}

function rowsOf({ policy, hidden }: Held, auth: CompiledAuth): string[][] {
  if (policy === undefined) return [["nobody", "nowhere"]];
  const said = `${policy.source}${hidden === undefined ? "" : `, before ${schemaSource}`}`;
  return whoMay(policy, auth).map((line, i) => [line, i === 0 ? said : ""]);
}

/** What holds for a method by each name that makes a difference, and by all others; of several that a call has, the first. */
function byName(method: string, auth: CompiledAuth): (readonly [name: string, held: Held])[] {
  const held = heldBy(auth.policies);
  const own = auth.policies.filter(({ match }) => takes(match, method)).map(({ match }) => match);
  const hosts = [...new Set([...own.map(({ host }) => host), null])].toSorted(nullLast);
  const basePaths = [...new Set([...own.map(({ basePath }) => basePath), null])].toSorted(nullLast);
  const names = hosts.flatMap((host) => basePaths.map((basePath): Called => ({ host, basePath })));
  const wider = ({ host, basePath }: Called): Called | undefined => (basePath !== null ? { host, basePath: null } : host !== null ? elsewhere : undefined);
  const telling = names.filter((called) => {
    const other = wider(called);
    return other === undefined || held(method, other).policy !== held(method, called).policy;
  });
  return telling.map((called) => [nameOf(called, telling.length === 1), held(method, called)]);
}

function nullLast(a: string | null, b: string | null): number {
  return a === null ? 1 : b === null ? -1 : a < b ? -1 : 1;
}

function nameOf({ host, basePath }: Called, isAlone: boolean): string {
  if (host === null && basePath === null) return isAlone ? "any name" : "other names";
  return `${host ?? ""}${basePath === "" ? "/" : (basePath ?? "")}`;
}

/** Who may call one method by a name, in a sentence; undefined where nobody may. */
export function policySays({ auth }: CompiledConfig, method: string, called: Called): string | undefined {
  const { policy } = heldBy(auth.policies)(method, called);
  if (policy === undefined) return undefined;
  return `by ${policy.source} ${whoMay(policy, auth).map((line) => line.trim()).join(", ")} may call it`;
}

function whoMay({ requirements, authorizer, rateLimits }: CompiledPolicy, auth: CompiledAuth): string[] {
  const who = requirements.length === 0 ? ["everybody"] : requirements.map((requirement, i) => `${i === 0 ? "" : "or "}${shown(requirement, auth)}`);
  const further = [...(authorizer === null ? [] : [`as ${auth.authorizers[authorizer]!.name} says`]), ...rateLimits.map((index) => bound(auth.rateLimits[index]!))];
  return further.length === 0 ? who : [...who, `  ${further.join(", ")}`];
}

function bound({ name, calls, periodMs, per }: CompiledRateLimit): string {
  return `${name}: ${calls} in ${periodMs / 1000}s for each ${per}`;
}

/** "main: scope users.read, claim tenant = acme, if claims.level >= 3" */
function shown({ provider, scopes, claims, condition }: CompiledRequirement, auth: CompiledAuth): string {
  const asks = [
    ...(scopes.length === 0 ? [] : [`${scopes.length === 1 ? "scope" : "scopes"} ${scopes.join(" ")}`]),
    ...claims.map(({ path, values }) => `claim ${path.join(".")} = ${values.join(" or ")}`),
    ...(condition === null ? [] : [`if ${condition.text.replaceAll(/\s+/g, " ").trim()}`]),
  ];
  return [auth.providers[provider]!.name, asks.join(", ")].filter((part) => part !== "").join(": ");
}
