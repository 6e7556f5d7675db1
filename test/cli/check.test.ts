import { create, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readDescriptors } from "../../cli/config/descriptors.ts";
import { packagePath } from "../../cli/serve/root.ts";
import { openToAll } from "../open-to-all.ts";
import { data, folder, issuesIn, issuesOf, withLocalities, withRoutes } from "./temporary.ts";

it("a file with many mistakes has all of them reported, each at its line and path", () => {
  expect(issuesIn(data("bad.yaml"))).toEqual([
    "1:28 descriptors[1]: must be a file that can be read: missing.binpb does not exist",
    "3:45 methods[0].kind: must agree with the descriptor, which says unary: current value is bidi-stream",
    '6:14 clusters.users.dialect: must be one of CONNECT, GRPC_WEB, SAME: current value is "GRPCWEB", did you mean GRPC_WEB?',
    '9:9 clusters.users.localities[0].weigth: unknown field: did you mean "weight"?',
    '11:18 clusters.users.localities[0].endpoints[0].url: must be an http or https URL without user info, query or fragment: current value is "ftp://users.example.com"',
    '14:14 routes[0].cluster: unknown cluster "user": did you mean "users"?',
    '15:14 routes[0].timeout: must be a duration in whole milliseconds, such as "15s", "1.5s", "500ms", "2m" or "1h": current value is 15',
    "16:5 routes[1].match: must name exactly one of method, service and prefix",
    '20:1 cors: allow_credentials cannot go with allowed_origins "*"',
    "24:14 limits.url_bytes: must be greater than or equal to 256 and less than or equal to 65536: current value is 1",
    "25:3 limits.url_bytes: must be given once: line 24 gives it already",
  ]);
});

it("a name, what stands below it, and what is beside a misspelt field are all looked at", () => {
  expect(issuesOf(`routes: [{ match: { prefix: / }, clusters: [a], cluster: nope }]\nclusters:\n  Users: { dialect: connect, localities: [{ region: a/b, endpoints: [{ url: "http://a" }] }] }`)).toEqual([
    '1:34 routes[0].clusters: unknown field: did you mean "cluster"?',
    '1:58 routes[0].cluster: unknown cluster "nope": must be one of Users',
    '3:3 clusters.Users: must match the pattern `^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$`: current value is "Users"',
    '3:21 clusters.Users.dialect: must be one of CONNECT, GRPC_WEB, SAME: current value is "connect", did you mean CONNECT?',
    expect.stringContaining("3:53 clusters.Users.localities[0].region: must match the pattern"),
  ]);
});

it("an environment that says nothing is the file as it is", () => {
  expect(issuesOf(`${withRoutes("{ match: { prefix: / }, cluster: users }")}\nenvironments: { staging: }`, { env: "staging" })).toEqual([]);
});

describe("YAML", () => {
  it("syntax errors are reported with their places", () => {
    expect(issuesOf("auth: {}\nroutes: [1, 2\nfoo: }\n").map((issue) => issue.slice(0, 4))).toEqual(["3:1 ", "3:6 "]);
  });

  it("an anchor that holds itself, or is not there, is refused", () => {
    expect(issuesOf(`${withRoutes("{ match: { prefix: / }, cluster: users }")}\ncors: &c { allowed_origins: *c, max_age: *d }`)).toEqual([
      "6:29 cors.allowed_origins: *c stands within its own anchor",
      "6:42 cors.max_age: no anchor is named &d",
    ]);
  });

  it("values of another type are refused with what they must be", () => {
    expect(issuesOf("clusters: [a]\nroutes:\n  - 3\ncors: { allow_credentials: yes, allowed_origins: x }\nlimits: { url_bytes: 1.5 }\ndescriptors: [7]")).toEqual([
      "1:11 clusters: must be a map by name: current value is a list",
      "3:5 routes[0]: must be a map of Route fields: current value is 3",
      '4:28 cors.allow_credentials: must be true or false: current value is "yes"',
      '4:50 cors.allowed_origins: must be a list: current value is "x"',
      "5:22 limits.url_bytes: must be a whole number from 0 to 4294967295: current value is 1.5",
      "6:15 descriptors[0]: must be a text (in quotes, where it looks like another thing): current value is 7",
    ]);
  });

  it("a condition on metadata cannot have two values", () => {
    expect(issuesOf(withRoutes("{ match: { prefix: /, metadata: [{ name: a, exact: b, present: true }] }, cluster: users }"))).toEqual([
      "5:59 routes[0].match.metadata[0].present: cannot stand beside exact: must be one of exact, prefix, present",
    ]);
  });

  it("an environment that is not there is refused", () => {
    expect(issuesOf(`${withRoutes("{ match: { prefix: / }, cluster: users }")}\nenvironments: { staging: { limits: { url_bytes: 4096 } } }`, { env: "stagin" })).toEqual([
      '6:1 environments: must have "stagin", which --env names: did you mean "staging"?',
    ]);
  });
});

describe("weights", () => {
  it("a locality whose endpoints all have weight 0 is refused", () => {
    expect(issuesOf(withLocalities("[{ region: a, endpoints: [{ url: http://a, weight: 0 }] }]"))).toEqual([
      "5:31 clusters.users.localities[0].endpoints: must have an endpoint whose weight is above 0: all are 0, give the locality weight 0 to rest it",
    ]);
  });

  it("a cluster whose localities all have weight 0 is refused", () => {
    expect(issuesOf(withLocalities("[{ region: a, weight: 0, endpoints: [{ url: http://a }] }]"))).toEqual([
      "5:5 clusters.users.localities: must have a locality whose weight is above 0: all are 0, so no call could go anywhere",
    ]);
  });

  it("one locality may rest while another serves", () => {
    expect(issuesOf(withLocalities("[{ region: a, weight: 0, endpoints: [{ url: http://a }] }, { region: b, endpoints: [{ url: http://b }] }]"))).toEqual([]);
  });
});

describe("the statuses of an HTTP probe", () => {
  const checked = (probe: string) => issuesOf(`${withLocalities("[{ region: a, endpoints: [{ url: http://a }] }]")}\n    health_check: { ${probe} }`);
  it("are codes or ranges of them, from the lower to the higher, and go with a path", () => {
    expect(checked("http_path: /, http_statuses: [\"204\", \"200-399\", \"404-404\"]")).toEqual([]);
    expect(checked("http_path: /, http_statuses: [\"2xx\"]")).toEqual([expect.stringContaining("health_check.http_statuses[0]: must match")]);
    expect(checked("http_path: /, http_statuses: [\"300-200\"]")).toEqual([expect.stringContaining("must have http_statuses that go from the lower to the higher")]);
    expect(checked("service: x, http_statuses: [\"200\"]")).toEqual([expect.stringContaining("may have http_statuses only beside http_path")]);
  });
});

describe("descriptors", () => {
  it("a set without its imports is refused", () => {
    expect(issuesOf(withRoutes("{ match: { prefix: / }, cluster: users }").replace("users.binpb", "users-without-imports.binpb"))).toEqual([
      '1:15 descriptors[0]: lacks google/protobuf/timestamp.proto, which acme/v1/users.proto imports: must hold all imports, as "buf build" (or "protoc --include_imports") writes them',
    ]);
  });

  it("a set in JSON is refused, with what to write in its place", () => {
    expect(issuesIn(join(folder({ "fairlead.yaml": openToAll(withRoutes("{ match: { prefix: / }, cluster: users }").replace("users.binpb", "users.json")), "users.json": "{}" }), "fairlead.yaml"))[0]).toContain('users.binpb" writes it');
  });

  it("a file that is no FileDescriptorSet is refused", () => {
    expect(issuesOf(withRoutes("{ match: { prefix: / }, cluster: users }").replace("users.binpb", "fairlead.yaml"))[0]).toMatch(/^1:15 descriptors\[0\]: must be a FileDescriptorSet/);
  });

  const definition = (file: string, ...fields: string[]) => toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file: [{ name: file, package: "acme", syntax: "proto3", messageType: [{ name: "M", field: fields.map((name, i) => ({ name, number: i + 1, label: 1, type: 9 })) }] }] }));
  it.each([[["a"], 0], [["a", "b"], 1]] as const)("a type that files of different names define is refused where they do not say the same: %j", (fields, refused) => {
    const directory = folder({ "fairlead.yaml": "" });
    writeFileSync(join(directory, "fairlead.yaml"), openToAll(withRoutes("{ match: { prefix: / }, cluster: users }").replace("[users.binpb]", "[one.binpb, two.binpb]")));
    writeFileSync(join(directory, "one.binpb"), definition("acme/m.proto", "a"));
    writeFileSync(join(directory, "two.binpb"), definition("team/acme/m.proto", ...fields));
    expect(issuesIn(join(directory, "fairlead.yaml"))).toEqual(["1:26 descriptors[1]: must not define acme.M in team/acme/m.proto in another way than descriptors[0] does in acme/m.proto: one of them would be taken for both"].slice(0, refused));
  });

  it("are what an Any may hold, well-known types that no file imports too", () => {
    const { registry } = readDescriptors([packagePath("test/core/schema/data/kinds.binpb")]);
    for (const name of ["Duration", "Empty", "FieldMask", "Struct", "Timestamp", "StringValue"]) expect(registry.getMessage(`google.protobuf.${name}`)).toBeDefined();
  });

  it("a method that is declared twice is refused", () => {
    const methods = "methods: [{ path: /a.B/C, kind: UNARY }, { path: /a.B/C, kind: UNARY }]";
    expect(issuesOf(`${withRoutes("{ match: { prefix: / }, cluster: users }")}\n${methods}`)).toEqual(["6:50 methods[1].path: must be declared once: methods[0] declares /a.B/C too"]);
  });
});

it("names that every object of JavaScript has are unknown as others are", () => {
  const route = "{ match: { prefix: / }, cluster: constructor, residency: [{ countries: [DE], regions: [eu] }] }";
  expect(issuesOf(`${withRoutes(route)}\nauth: { rules: [{ match: { prefix: / }, allow: PUBLIC, authorizer: valueOf, rate_limits: [toString] }] }`).filter((issue) => issue.includes("unknown"))).toEqual([
    expect.stringContaining('unknown cluster "constructor"'), expect.stringContaining('unknown authorizer "valueOf"'), expect.stringContaining('unknown rate limit "toString"'),
  ]);
});

describe("an endpoint's URL", () => {
  const at = (...urls: string[]) => issuesOf(withLocalities(`[{ region: a, endpoints: [${urls.map((url) => `{ url: ${JSON.stringify(url)} }`).join(", ")}] }]`));
  it.each(["https://${HOST}", "https://{host}", "https://*.a.com", "https://a.com,b.com", "https://a.com\\b", "https://a.com:0", "https://a.com/x y", "https://u@a.com", "https://a.com?x"])("%s is refused", (url) => {
    expect(at(url)).toEqual([expect.stringContaining("url: must be an http or https URL without user info, query or fragment")]);
  });
  it.each(["https://a.com", "http://my_service:8080/x", "http://[::1]:8080", "https://münchen.example", "http://10.0.0.1/a%20b"])("%s is taken", (url) => expect(at(url)).toEqual([]));
  it("that is another's in other words is refused as the same", () => {
    for (const url of ["https://a.com:443", "https://A.com/", "https://a.com/x/../"]) expect(at("https://a.com", url)).toEqual([expect.stringContaining("must be named once in a locality: endpoints[0] is the same")]);
  });
});

it("what a browser may not be told by a route, or by a mixed star, is refused", () => {
  const route = "{ match: { prefix: / }, cluster: users, request_headers: { set: { host: x } }, response_headers: { remove: [grpc-status] } }";
  expect(issuesOf(`${withRoutes(route)}\ncors: { allowed_origins: [https://a.example, "*"] }`)).toEqual([
    "5:71 routes[0].request_headers.set.host: must not name host: HTTP, the RPC protocols or CORS own it (an endpoint's authority sets it)",
    "5:113 routes[0].response_headers.remove[0]: must not name grpc-status: HTTP, the RPC protocols or CORS own it",
    '6:46 cors.allowed_origins[1]: "*" must stand alone: it allows all that others could',
  ]);
});
