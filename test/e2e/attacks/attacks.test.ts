import { describe, expect, it } from "vitest";
import { defects, runtimes } from "../harness.ts";
import { answered, wanted } from "./answered.ts";
import type { Attack } from "./attack.ts";
import { browserAttacks } from "./browsers.ts";
import { claimAttacks } from "./claims.ts";
import { controls } from "./controls.ts";
import { headAttacks } from "./heads.ts";
import { authorizerAttacks, keySetAttacks } from "./others.ts";
import { forms } from "./request.ts";
import { shownAttacks } from "./shown.ts";
import { signatureAttacks } from "./signatures.ts";
import { smuggled } from "./smuggled.ts";
import { countAnew, stage } from "./stage.ts";

const tables: readonly (readonly [what: string, attacks: readonly Attack[]])[] = [
  ["how a token is signed", signatureAttacks],
  ["what a token says", claimAttacks],
  ["how a credential is shown", shownAttacks],
  ["which method is meant", headAttacks],
  ["somebody else's page", browserAttacks],
  ["how keys are served", keySetAttacks],
  ["what an authorizer says", authorizerAttacks],
];

describe.each(runtimes)("on %s", (runtime) => {
  const on = stage(runtime);

  describe.each(tables)("%s:", (_what, attacks) => {
    it.each(attacks)("$name is refused as $code, and no origin is called", async (attack) => {
      const replies = await Promise.all((attack.forms ?? forms).map(async (form) => ({ form, reply: await on.send(attack, form) })));
      for (const { form, reply } of replies) expect(wanted(attack, form), form).toContain(answered(form, reply));
      expect(on.origin.seen.map(({ url }) => url)).toEqual([]);
    });
  });

  it.each(controls)("$name passes, and the origin is called once", async (control) => {
    for (const form of control.forms ?? forms) {
      countAnew(on.origin);
      expect(answered(form, await on.send(control, form)), form).toBe("ok");
      expect(on.origin.seen.length).toBe(1);
    }
  });

  it.each(smuggled)("$name does not reach the origin", async (one) => {
    for (const form of one.forms ?? forms) expect(wanted(one, form), form).toContain(answered(form, await on.send(one, form)));
    expect(on.origin.seen.length).toBe(one.code === "ok" ? (one.forms ?? forms).length : 0);
    for (const { headers } of on.origin.seen) expect(JSON.stringify(headers)).not.toContain(one.contraband);
  });

  it("the origin is told who calls, by the proxy alone", async () => {
    const [attack] = smuggled;
    await on.send(attack!, "connect-unary");
    expect(on.origin.seen[0]!.headers["x-user-id"]).toBe("ada");
  });

  it("no log has a credential in it, and none tells of a defect", () => {
    const log = on.proxy.log();
    expect(log).toContain('"event":"refused"');
    expect([...on.secrets].filter((secret) => log.includes(secret))).toEqual([]);
    expect(defects(log)).toEqual([]);
  });
});

describe("the attacks", () => {
  const all = tables.flatMap(([, attacks]) => attacks);

  it("are more than 500, of which 400 at least get as far as the proxy, and no two of a table have one name", () => {
    expect(all.length).toBeGreaterThanOrEqual(500);
    expect(all.filter(({ code }) => !code.includes("no-http")).length).toBeGreaterThanOrEqual(400);
    for (const [, attacks] of tables) expect(new Set(attacks.map(({ name }) => name)).size).toBe(attacks.length);
  });
});
