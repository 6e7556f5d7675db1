import { Command, InvalidArgumentError } from "commander";
import { isContinent, isCountry } from "../worker/core/balance/place.ts";
import { isName } from "../worker/core/protocol/fields.ts";
import { check } from "./config/check.ts";
import { formatIssues } from "./config/issue.ts";
import { explainImagined, formatExplanation, unroutable } from "./explain.ts";

interface Options {
  readonly config: string;
  readonly env?: string;
  readonly call: string;
  readonly at?: { readonly latitude: number; readonly longitude: number };
  readonly country?: string;
  readonly continent?: string;
  readonly host: string;
  readonly header?: Headers;
  readonly address?: string;
  readonly json?: true;
}

/** `fairlead explain`: where a call would go, and why. */
export function explainCommand(): Command {
  return new Command("explain")
    .description("Say where a call would go, and why. Exits 1 if it would be refused.")
    .requiredOption("--call <path>", "/package.Service/Method, behind its base path if it has one")
    .option("--config <file>", "the config", "fairlead.yaml")
    .option("--env <name>", "merge environments.NAME over the file")
    .option("--at <lat,lon>", "where the caller is, in degrees", point)
    .option("--country <code>", "the caller's country, ISO 3166-1 alpha-2", code(isCountry, "a country, such as DE"))
    .option("--continent <code>", "the caller's continent (default: its country's)", code(isContinent, "one of AF, AN, AS, EU, NA, OC, SA"))
    .option("--host <name>", "the host that is called", "localhost")
    .option("--header <name=value>", "a request header; may be given again", header)
    .option("--address <ip>", "the caller's address")
    .option("--json", "print the explanation as JSON")
    .action(run);
}

function run({ config: file, env, call, at, country, continent, host, header: headers = new Headers(), address, json }: Options): void {
  const { config, issues } = check(file, { env });
  if (config === undefined) {
    console.error(formatIssues(issues));
    process.exitCode = 1;
    return;
  }
  const place = at === undefined && country === undefined && continent === undefined ? null : { ...at, country, continent };
  const explanation = explainImagined(config, { path: call, host, headers, place, address: address ?? null }, Math.random);
  if (explanation === undefined) {
    console.error(unroutable(call));
    if (json === true) console.log(JSON.stringify({ rules: [], localities: [], picked: null }, null, 2));
  }
  else console.log(json === true ? JSON.stringify(explanation, null, 2) : formatExplanation(explanation));
  if (explanation === undefined || explanation.picked === null) process.exitCode = 1;
}

function point(text: string): NonNullable<Options["at"]> {
  const [latitude = NaN, longitude = NaN, ...rest] = text.split(",").map((part) => (part.trim() === "" ? NaN : Number(part)));
  if (rest.length === 0 && Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180) return { latitude, longitude };
  throw new InvalidArgumentError("Must be latitude from -90 to 90 and longitude from -180 to 180: 50.11,8.68");
}

function code(isKnown: (code: string) => boolean, what: string): (text: string) => string {
  return (text) => {
    if (isKnown(text.toUpperCase())) return text.toUpperCase();
    throw new InvalidArgumentError(`Must be ${what}.`);
  };
}

function header(text: string, all = new Headers()): Headers {
  const equals = text.indexOf("=");
  if (equals < 1 || !isName(text.slice(0, equals))) throw new InvalidArgumentError("Must be a header's name, = and its value: x-user-id=7");
  const value = text.slice(equals + 1);
  if (!/^[\t\x20-\x7e]*$/.test(value)) throw new InvalidArgumentError("Must have a value in visible ASCII.");
  all.append(text.slice(0, equals), value);
  return all;
}
