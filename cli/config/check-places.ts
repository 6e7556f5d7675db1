import type { Locality } from "../../gen/fairlead/config/v1/config_pb.js";
import { isCountry } from "../../worker/core/balance/place.ts";
import type { Checking } from "./checking.ts";
import type { Path } from "./issue.ts";
import { valueAt } from "./tree.ts";

type Reporting = Pick<Checking, "tree" | "report">;

/** Reports localities of one cluster that are twice there, on no map, or at home nowhere. */
export function checkPlaces(localities: readonly Locality[], path: Path, { tree, report }: Reporting): void {
  const placed = localities.some(({ at }) => at !== undefined);
  for (const [i, { region, at, countries }] of localities.entries()) {
    const first = localities.findIndex((locality) => locality.region === region);
    if (region !== "" && first < i) report.of(tree, [...path, i, "region"], `must be named once: localities[${first}] is "${region}" too`);
    const point = at === undefined ? undefined : valueAt(tree, [...path, i, "at"]);
    if (point?.kind === "map" && !(point.entries.has("lat") && point.entries.has("lng"))) report.of(tree, [...path, i, "at"], "must have both lat and lng: the one that is missing would be 0");
    if (placed && at === undefined) report.of(tree, [...path, i], "has no place (at), so it counts as the farthest for every caller", { severity: "warning" });
    checkCountries(countries, [...path, i, "countries"], { tree, report });
  }
}

export function checkCountries(countries: readonly string[], path: Path, { tree, report }: Reporting): void {
  for (const [i, country] of countries.entries()) {
    if (/^[A-Z]{2}$/.test(country) && !isCountry(country)) report.of(tree, [...path, i], `must be a country's code in ISO 3166-1 alpha-2: current value is "${country}"${country === "UK" ? ", the United Kingdom's is GB" : ""}`);
  }
}
