import { Command } from "commander";
import { createHash, randomBytes } from "node:crypto";
import { type ApiKey, readStoredKeys, storedKeysKey } from "../worker/core/auth/api-keys.ts";
import type { CompiledKeyProvider } from "../worker/core/config/compiled-auth.ts";
import { configured } from "./configured.ts";
import { nearest } from "./config/suggest.ts";
import { type Place, placed, storeOf } from "./store/place.ts";
import { table } from "./table.ts";

interface Options extends Place {
  readonly provider?: string;
}

interface StoredKey extends ApiKey {
  readonly revoked?: true;
}

const mostTries = 20;

/** `fairlead keys`: the API keys that the shared store holds. */
export function keysCommand(): Command {
  const provided = (command: Command) => placed(command).option("--provider <name>", "the provider whose keys they are; it can be left out where there is only one");
  const keys = new Command("keys").description("Add, revoke and list API keys in the shared store, of a provider with api_keys: {stored: true}. The proxies know within a minute or two.");
  keys.addCommand(
    provided(new Command("add"))
      .description("Make a key and print it, once: the store has its SHA-256 alone.")
      .argument("<name>", "whose it is: the subject of its calls")
      .option("--scope <scope>", "what it may be used for; may be given again", (scope: string, all: string[] = []) => [...all, scope])
      .action(add),
  );
  keys.addCommand(provided(new Command("revoke")).description("Take back every key of a name, or one by the beginning of its SHA-256.").argument("<key>", "a name, or eight hex digits at least").action(revoke));
  keys.addCommand(provided(new Command("list")).description("List the keys.").action(list));
  return keys;
}

async function add(name: string, { scope: scopes = [], ...options }: Options & { readonly scope?: string[] }): Promise<void> {
  if (!/^[A-Za-z0-9][A-Za-z0-9._@-]*$/.test(name)) throw new Error(`Cannot add a key as its name must be of letters, digits, ".", "_", "@" and "-": current value is ${JSON.stringify(name)}`);
  for (const scope of scopes) if (scope === "" || /\s/.test(scope)) throw new Error(`Cannot add a key as each --scope must be one, without blanks: current value is ${JSON.stringify(scope)}`);
  const document = open(options);
  const key = `fl_${randomBytes(32).toString("base64url")}`;
  const sha256 = createHash("sha256").update(key).digest("hex");
  await document.change((keys) => (keys.some((one) => one.sha256 === sha256) ? keys : [...keys, { name, sha256, scopes }]));
  console.log(key);
}

async function revoke(which: string, options: Options): Promise<void> {
  const document = open(options);
  const revoked = new Map<string, StoredKey>();
  await document.change((keys) => {
    for (const key of meantBy(which, keys)) revoked.set(key.sha256, key);
    if (revoked.size === 0) throw new Error(noSuchKey(which, keys));
    return keys.map((key) => (revoked.has(key.sha256) ? { ...key, revoked: true } : key));
  });
  for (const { name, sha256 } of revoked.values()) console.log(`${name} ${sha256.slice(0, 8)}: revoked`);
}

/** The good keys of a name, or whose SHA-256 begins so. */
function meantBy(which: string, keys: readonly StoredKey[]): StoredKey[] {
  const named = keys.some(({ name }) => name === which);
  const isMeant = ({ name, sha256 }: StoredKey) => (named ? name === which : /^[0-9a-f]{8,64}$/.test(which) && sha256.startsWith(which));
  return keys.filter((key) => isMeant(key) && key.revoked !== true);
}

function noSuchKey(which: string, keys: readonly StoredKey[]): string {
  const names = keys.filter(({ revoked }) => revoked !== true).map(({ name }) => name);
  const near = nearest(which, names);
  return `Cannot revoke "${which}" as it must be a key that is good: ${near === undefined ? (names.length === 0 ? "there is none" : `those are ${[...new Set(names)].join(", ")}`) : `did you mean "${near}"?`}`;
}

async function list(options: Options): Promise<void> {
  const keys = await open(options).read();
  if (keys.length === 0) console.log("there is no key");
  else console.log(table(["name", "sha-256", "scopes", ""], keys.map(({ name, sha256, scopes, revoked }) => [name, sha256.slice(0, 8), scopes.join(" "), revoked === true ? "revoked" : ""])));
}

/** The document of a provider's keys. */
function open(options: Options) {
  const { name } = providerOf(options);
  const store = storeOf(options);
  const at = storedKeysKey(name);
  function keysIn(bytes: Uint8Array | null): readonly StoredKey[] {
    if (bytes === null) return [];
    if (readStoredKeys(bytes) === undefined) throw new Error(`Cannot change the keys as the document "${at}" must be readable: it is corrupt`);
    return (JSON.parse(new TextDecoder().decode(bytes)) as { keys: StoredKey[] }).keys;
  }
  return {
    read: async (): Promise<readonly StoredKey[]> => keysIn(await store.get(at)),
    /** Changes the keys, however many change them at once: an edit is made anew where another came between, and must not mind its own work. */
    async change(edit: (keys: readonly StoredKey[]) => readonly StoredKey[]): Promise<void> {
      for (let i = 0; i < mostTries; i++) {
        const before = await store.get(at);
        const after = new TextEncoder().encode(JSON.stringify({ schemaVersion: 1, keys: edit(keysIn(before)) }));
        if (await store.swap(at, before, after)) return;
      }
      throw new Error(`Cannot change the keys as nobody else must change them all the while: "${at}" was another after each of ${mostTries} tries`);
    },
  };
}

function providerOf({ config: file, env, wrangler, provider }: Options): CompiledKeyProvider {
  const stored = configured(file, { env, wrangler }).auth.providers.filter((one): one is CompiledKeyProvider => one.kind === "api-key" && one.stored);
  const found = provider === undefined && stored.length === 1 ? stored[0] : stored.find(({ name }) => name === provider);
  if (found !== undefined) return found;
  const names = stored.map(({ name }) => name).join(", ");
  throw new Error(`Cannot tell whose keys are meant as --provider must name one with api_keys: {stored: true}: ${names === "" ? `${file} has none` : `there are ${names}`}`);
}
