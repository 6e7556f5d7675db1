import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { CheckRequestSchema, CheckResponseSchema } from "../../../gen/fairlead/authz/v1/authz_pb.js";
import type { Answer } from "../origin.ts";

/** An authorizer that does what the caller's `x-want` says. */
export const authorizes: Answer = async (response, seen) => {
  const asked = fromBinary(CheckRequestSchema, new Uint8Array(await seen.body));
  const proto = (bytes: Uint8Array) => response.writeHead(200, { "content-type": "application/proto" }).end(bytes);
  switch (asked.metadata["x-want"]) {
    case "allow": return proto(toBinary(CheckResponseSchema, create(CheckResponseSchema, { answer: { case: "allow", value: { headers: { "x-checked": "yes", host: "evil.example", "x_user_id": "root", "x-bad": "a\r\nb: c" } } } })));
    case "deny": return proto(toBinary(CheckResponseSchema, create(CheckResponseSchema, { answer: { case: "deny", value: { message: "not you" } } })));
    case "nothing": return proto(new Uint8Array(0));
    case "garbage": return proto(Buffer.from("\xff\xff\xff\xff", "latin1"));
    case "html": return response.writeHead(200, { "content-type": "text/html" }).end("<p>allow");
    case "json": return response.writeHead(200, { "content-type": "application/json" }).end('{"allow":{}}');
    case "500": return response.writeHead(500, { "content-type": "application/proto" }).end(toBinary(CheckResponseSchema, create(CheckResponseSchema, { answer: { case: "allow", value: {} } })));
    case "error": return response.writeHead(403, { "content-type": "application/json" }).end('{"code":"permission_denied"}');
    case "530": return response.writeHead(530, { "content-type": "application/json" }).end('{"code":"permission_denied"}');
    case "redirect": return response.writeHead(307, { location: "/elsewhere" }).end();
    case "large": return proto(Buffer.alloc(100_000));
    case "cut": return response.writeHead(200, { "content-type": "application/proto", "content-length": 100 }).write("x", () => response.socket?.destroy());
    case "silence": return undefined;
    default: return response.socket?.destroy();
  }
};
