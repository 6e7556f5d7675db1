import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { check } from "../../cli/config/check.ts";
import { policySays, policyTable } from "../../cli/config/policy-table.ts";
import { folder, issuesIn, withRoutes } from "./temporary.ts";

const providers = "providers: { main: { issuer: https://id.example, audiences: [api], algorithms: [RS256], discovery: true } }";
const service = "service: acme.v1.UserService";
const anywhere = `{ match: { ${service} }, cluster: users }`;
const under = (base: string, more = "") => `{ match: { ${service}, base_path: ${base}${more} }, cluster: users }`;

function file(rules: readonly string[], ...routes: string[]): string {
  return join(folder({ "fairlead.yaml": `${withRoutes(...routes)}\nauth:\n  ${providers}\n  rules:\n${rules.map((rule) => `    - ${rule}`).join("\n")}` }), "fairlead.yaml");
}
const issues = (rules: readonly string[], ...routes: string[]): string[] => issuesIn(file(rules, ...routes)).map((issue) => issue.replace(/^\d+:\d+ /, ""));
const all = ["Chat", "Get", "Import", "Watch"].map((name) => `/acme.v1.UserService/${name}`).join(", ");

describe("the table of who may call", () => {
  it("tells by which name, where rules name hosts and base paths, the first that a call has", () => {
    const { config } = check(file([
      `{ match: { ${service} }, require: { scopes: [users] } }`,
      `{ match: { ${service}, host: admin.example }, require: { scopes: [users, admin] } }`,
      `{ match: { ${service}, host: admin.example, base_path: /v2 }, require: { scopes: [users, v2] } }`,
      `{ match: { method: /acme.v1.UserService/Get, base_path: "" }, allow: PUBLIC }`,
    ], anywhere, under("/v2")));
    const rows = policyTable(config!).split("\n").map((line) => line.trimEnd().split(/ {2,}/));
    const further = [["admin.example/v2", "main: scopes users v2", "auth.rules[2]"], ["admin.example", "main: scopes users admin", "auth.rules[1]"], ["other names", "main: scope users", "auth.rules[0]"]];
    expect(rows.filter((_, i) => i !== 1)).toEqual([
      ["method", "called by", "who may call", "said in"],
      ["/acme.v1.UserService/Chat", ...further[0]!], ["", ...further[1]!], ["", ...further[2]!],
      ["/acme.v1.UserService/Get", "admin.example/", "everybody", "auth.rules[3]"], ["", ...further[0]!], ["", ...further[1]!], ["", "/", "everybody", "auth.rules[3]"], ["", ...further[2]!],
      ["/acme.v1.UserService/Import", ...further[0]!], ["", ...further[1]!], ["", ...further[2]!],
      ["/acme.v1.UserService/Watch", ...further[0]!], ["", ...further[1]!], ["", ...further[2]!],
    ]);
  });

  it("says nobody of a name by which a method is refused", () => {
    const { config } = check(file([`{ match: { ${service}, host: a.example }, allow: PUBLIC }`], anywhere));
    expect(policyTable(config!)).toContain("other names  nobody");
    expect(policySays(config!, "/acme.v1.UserService/Get", { host: "a.example", basePath: "" })).toBe("by auth.rules[0] everybody may call it");
    expect(policySays(config!, "/acme.v1.UserService/Get", { host: "b.example", basePath: "" })).toBeUndefined();
  });
});

describe("a rule that names a host or a base path", () => {
  const asking = (more: string, scopes: string) => `{ match: { ${service}${more} }, require: { scopes: [${scopes}] } }`;
  const noProtection = (rule: number, by: string, methods = all) => `auth.rules[${rule}].match: is no protection by itself: who calls ${methods} by another host or base path gets to the same origins by ${by}, which does not ask all that this asks`;

  it("is warned of where who calls by another name gets to the same origins with less", () => {
    expect(issues([asking(", host: admin.example", "a, b"), asking("", "a")], anywhere)).toEqual([`warning ${noProtection(0, "auth.rules[1]")}`]);
    expect(issues([asking(", base_path: /admin", "a, b"), asking("", "a")], anywhere, under("/admin"))).toEqual([`warning ${noProtection(0, "auth.rules[1]")}`]);
    const open = `{ match: { ${service}, host: open.example }, allow: PUBLIC }`;
    expect(issues([asking(", host: admin.example", "a, b"), open, asking("", "a, b")], anywhere)).toEqual([`warning ${noProtection(0, "auth.rules[1]")}`]);
  });

  it("is not warned of where others ask as much, nobody may call by other names, or no route takes them", () => {
    expect(issues([asking(", host: admin.example", "a"), asking("", "b, a")], anywhere)).toEqual([]);
    expect(issues([`{ match: { ${service}, host: open.example }, allow: PUBLIC }`, asking("", "a")], anywhere)).toEqual([]);
    expect(issues([asking(", host: admin.example", "a, b"), asking("", "a")], `{ match: { ${service}, host: admin.example }, cluster: users }`)).toEqual([]);
    expect(issues([asking(", host: admin.example", "a, b")], anywhere)).toEqual([`warning routes[0].match: ${all} are refused by names that no rule has: nothing in auth or the schema says who may call`]);
  });

  it("is never looked at where another takes all that it would, and may stand beside one that does not", () => {
    const twice = [asking(", host: a.example", "a"), asking(", host: a.example", "b"), asking("", "a")];
    expect(issues(twice, anywhere).filter((issue) => !issue.startsWith("warning"))).toEqual(["auth.rules[1].match: must differ from that of rules[0] (line 9)"]);
    expect(issues([asking(", host: a.example", "a"), asking(", base_path: /b", "a"), asking(", host: a.example, base_path: /b", "a"), asking("", "a")], anywhere, under("/b"))).toEqual([]);
    expect(issues([asking("", "a"), `{ match: { prefix: /acme.v1.UserService/G, host: a.example }, require: { scopes: [a] } }`], anywhere)).toEqual(["auth.rules[1].match: is never looked at: all it matches is for rules[0] (line 9)"]);
  });

  it("whose base path no route has is for nothing", () => {
    expect(issues([asking(", base_path: /ap", "a"), asking("", "a")], anywhere, under("/api"))).toEqual(['warning auth.rules[0].match.base_path: no route has this base path, so that no call is for the rule: did you mean "/api"?']);
  });

  it.each([["host: A.example", "host"], ["host: a.example.", "host"], ["host: a..example", "host"], ['host: "a.example:80"', "host"], ["base_path: /a/", "base_path"], ["base_path: a", "base_path"]])("cannot have %s", (name, field) => {
    expect(issues([asking(`, ${name}`, "a"), asking("", "a")], anywhere).filter((issue) => issue.startsWith(`auth.rules[0].match.${field}: must match the pattern`))).toHaveLength(1);
  });
});
