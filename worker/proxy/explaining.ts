import { type Explanation, explain, routeRule, type Rule } from "../core/balance/explain.ts";
import type { CompiledExplain } from "../core/config/compiled.ts";
import { explainHeader, explanationHeader } from "../core/protocol/metadata.ts";
import type { Call } from "./call.ts";
import type { Handler } from "./layer.ts";
import type { Ports } from "./ports.ts";

/** Tells a caller that may ask why its call went where it went, in a header of the reply (an error too), and the log. */
export function explaining(who: CompiledExplain | null, ports: Ports, inner: Handler): Handler {
  if (who === null) return inner;
  return async (call) => {
    const reply = await inner(call);
    if (!mayAsk(call, who, ports)) return reply;
    try {
      const explanation = explainCall(call);
      reply.headers.set(explanationHeader, headerText(explanation));
      // Others do not see it by a cache.
      reply.headers.set("cache-control", "no-store");
      ports.log({ level: "info", event: "explained", method: call.path, picked: explanation.picked, rules: explanation.rules.map(({ says }) => says) });
    } catch (error) {
      // A reply that came is worth more than its explanation.
      ports.log({ level: "error", event: "defect", method: call.path, error: String(error) });
    }
    return reply;
  };
}

function explainCall(call: Call): Explanation {
  const { cluster, snapshot, ask, picked, attempts = [] } = call.trace;
  const before: Rule[] = [routeRule(call.route.match), ...policyRules(call)];
  if (cluster === undefined || snapshot === undefined || ask === undefined) return { rules: before, localities: [], picked: null };
  const { rules, ...rest } = explain(snapshot, ask, cluster, picked);
  const elsewhere = attempts.filter(({ endpoint }) => endpoint.url !== picked?.endpoint).map(({ region, endpoint }) => `${endpoint.url} in ${region}`);
  const retry: Rule[] = elsewhere.length === 0 ? [] : [{ rule: "retry", says: `it was sent to ${elsewhere.join(", ")} too, which did not answer well, or not in time` }];
  return { rules: [...before, ...rules, ...retry], ...rest };
}

/** What the guard made of a call, if it came so far. */
function policyRules({ caller: { principal }, trace: { policy, refused } }: Call): Rule[] {
  const by = policy?.source ?? "nothing said of it";
  if (refused !== undefined) return [{ rule: "policy", says: `by ${by} it may not pass: ${refused}` }];
  return policy === undefined ? [] : [{ rule: "policy", says: `by ${by} ${principal === undefined ? "everybody" : `${principal.subject} of ${principal.providerName}`} may call it` }];
}

function mayAsk({ request }: Call, { secret }: CompiledExplain, ports: Ports): boolean {
  const asked = request.headers.get(explainHeader);
  if (asked === null) return false;
  if (secret === null) return true;
  const wanted = ports.secret(secret);
  return wanted !== undefined && wanted !== "" && sameText(asked, wanted);
}

/** In a time that does not tell how much of the secret was right. */
function sameText(a: string, b: string): boolean {
  let different = a.length ^ b.length;
  for (let i = 0; i < b.length; i++) different |= (a.charCodeAt(i) || 0) ^ b.charCodeAt(i);
  return different === 0;
}

/** What a header is sure to hold everywhere. */
const mostBytes = 6 * 1024;

/** JSON in ASCII; of a large config only the localities that have a share, and then only their number of endpoints. */
function headerText(explanation: Explanation): string {
  const shared = explanation.localities.filter(({ share }) => share > 0);
  const shorter = [explanation.localities, shared, shared.map((candidate) => ({ ...candidate, endpoints: candidate.endpoints.length })), []];
  const texts = shorter.map((localities) => ascii(JSON.stringify({ ...explanation, localities })));
  return texts.find((text) => text.length <= mostBytes) ?? ascii(JSON.stringify({ picked: explanation.picked }));
}

function ascii(text: string): string {
  return text.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
