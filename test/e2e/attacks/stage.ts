import { afterAll, beforeAll, beforeEach } from "vitest";
import type { Runtime } from "../../../cli/serve/serve.ts";
import type { Received } from "../client.ts";
import { type Proxy, startProxy } from "../harness.ts";
import { type RawOrigin, startRawOrigin } from "../origin.ts";
import { webReply } from "../wire.ts";
import type { Attack } from "./attack.ts";
import { authorizes } from "./authorizer.ts";
import { config } from "./config.ts";
import { exchange } from "./exchange.ts";
import { type KeyServer, startKeyServer } from "./key-server.ts";
import { apiKey, sha256 } from "./parties.ts";
import { type Form, write } from "./request.ts";

/** The proxy with everybody around it, for all the tests of a suite. The origin counts anew for each test, and answers whatever comes. */
export interface Stage {
  readonly origin: RawOrigin;
  readonly keyServer: KeyServer;
  readonly proxy: Proxy;
  send(attack: Pick<Attack, "service" | "sent">, form: Form): Promise<Received>;
  /** Runs of letters that were sent as credentials: no log may have them in it. */
  readonly secrets: ReadonlySet<string>;
}

export function stage(runtime: Runtime): Stage {
  let origin: RawOrigin | undefined;
  let authorizer: RawOrigin | undefined;
  let keyServer: KeyServer | undefined;
  let proxy: Proxy | undefined;
  const secrets = new Set<string>(Object.values(apiKey));

  beforeAll(async () => {
    [origin, authorizer, keyServer] = await Promise.all([startRawOrigin(), startRawOrigin(), startKeyServer()]);
    authorizer.answer(authorizes);
    const nowhere = await startRawOrigin();
    await nowhere.stop();
    proxy = await startProxy(runtime, config({ origin: origin.url, keyServer: keyServer.url, authorizer: authorizer.url, nowhere: nowhere.url }), { EXPLAIN: "let me see" });
    const stored = [{ name: "app", sha256: sha256(apiKey.stored), scopes: ["read"] }, { name: "old", sha256: sha256(apiKey.revoked), scopes: ["read"], revoked: "2026-11-01T00:00:00Z" }];
    await proxy.store.put("api-keys/keys", Buffer.from(JSON.stringify({ schemaVersion: 1, keys: stored })));
  });
  afterAll(async () => {
    await proxy?.stop();
    await Promise.all([origin, authorizer, keyServer].map((one) => one?.stop()));
  });
  beforeEach(() => countAnew(origin!));

  return {
    get origin() {
      return origin!;
    },
    get keyServer() {
      return keyServer!;
    },
    get proxy() {
      return proxy!;
    },
    secrets,
    send({ service, sent }, form) {
      const written = { form, service, ...sent() };
      for (const [name, value] of written.fields ?? []) if (/^(?:authorization|x-token|cookie)\s*$/i.test(name)) for (const run of value.match(/[A-Za-z0-9_-]{43,}/g) ?? []) secrets.add(run);
      return exchange(proxy!.port, write(written));
    },
  };
}

/** Forgets what an origin has seen; whatever comes from now on is answered with one message. */
export function countAnew(origin: RawOrigin): void {
  origin.answer(async (response, seen) => {
    await seen.body;
    response.writeHead(200, { "content-type": seen.headers["content-type"] ?? "" }).end(webReply("{}"));
  });
}
