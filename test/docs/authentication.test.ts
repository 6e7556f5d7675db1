import { create } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { check } from "../../cli/config/check.ts";
import { policyTable } from "../../cli/config/policy-table.ts";
import { packagePath } from "../../cli/serve/root.ts";
import { authorizer } from "../../docs/examples/authorizer.ts";
import { AuthorizationService, CheckRequestSchema } from "../../gen/fairlead/authz/v1/authz_pb.js";
import { docsPage } from "./examples.ts";

const { page, examples, checked } = docsPage("authentication.md");

test.each([...examples.keys()])("the example under “%s” is accepted without a word, in each of its environments", (heading) => {
  expect(checked(heading).issues).toEqual([]);
  for (const [, name] of (examples.get(heading) ?? "").split("environments:")[1]?.matchAll(/^ {2}([a-z-]+):/gm) ?? []) expect(checked(heading, name).issues).toEqual([]);
});

test("the page has as many examples as headings with YAML", () => expect(examples.size).toBe([...page.matchAll(/^```yaml$/gm)].length));

test("what `check` prints of the demo is what it prints", () => {
  expect(page).toContain(`$ npx fairlead check\n${policyTable(check(packagePath("fairlead.yaml")).config!)}\n\`\`\``);
});

test("a development environment takes the keys of another place", () => {
  expect(checked("While developing").config?.auth.providers).toMatchObject([{ keys: { from: "discovery" }, algorithms: ["RS256"] }]);
  expect(checked("While developing", "dev").config?.auth.providers).toMatchObject([{ keys: { from: "inline" }, algorithms: ["ES256"], issuer: "https://dev.example.com" }]);
});

test("the authorizer on the page is the one that stands in a file, and answers as it says", async () => {
  expect(page).toContain(`\`\`\`ts\n${readFileSync(packagePath("docs/examples/authorizer.ts"), "utf8")}\`\`\``);
  const server = createServer(authorizer).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const client = createClient(AuthorizationService, createConnectTransport({ baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, useBinaryFormat: true }));
  const ask = async (method: string, claims?: Record<string, string>) => (await client.check(create(CheckRequestSchema, { method, ...(claims && { principal: { claims } }) }))).answer;
  expect(await ask("/acme.user.v1.UserService/Get", { tenant: "acme" })).toMatchObject({ case: "allow", value: { headers: { "x-tenant": "acme" } } });
  expect(await ask("/acme.user.v1.UserService/Delete", { tenant: "acme" })).toMatchObject({ case: "deny", value: { message: "the bill is overdue" } });
  expect(await ask("/acme.user.v1.UserService/Delete", { tenant: "other" })).toMatchObject({ case: "allow" });
  expect(await ask("/acme.user.v1.UserService/Get")).toMatchObject({ case: "deny", value: { message: "a tenant is needed" } });
});

test("every link to another page leads to a heading or a file", () => {
  for (const [, file = "", anchor] of page.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)) {
    const text = readFileSync(join(packagePath("docs"), file), "utf8");
    if (anchor === undefined) continue;
    const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading!.toLowerCase().replaceAll(/[^a-z0-9 -]/g, "").replaceAll(" ", "-"));
    expect(headings).toContain(anchor);
  }
});
