import type { Ask } from "../core/balance/pick.ts";
import { nowhere, type Place, type Point, readPlace } from "../core/balance/place.ts";
import type { CompiledCluster, CompiledConfig, CompiledPlaceHeaders, CompiledRoute, CompiledSticky } from "../core/config/compiled.ts";
import type { Call } from "./call.ts";
import type { ConnectionFacts } from "./ports.ts";

/** What of a call a pick needs to know. */
export interface Asking extends Pick<Call, "route" | "metadata"> {
  readonly request: Pick<Request, "headers">;
  readonly facts: Pick<ConnectionFacts, "place" | "clientAddress">;
}

/** What of a call its endpoint is picked by. */
export type AskOf = (asking: Asking) => Ask;

/**
 * A caller's place is only looked for where it can matter: a platform's account of it is not for free. `near` is told of each
 * that the platform knows; headers may tell of callers that are far.
 */
export function asker({ routes, clusters, placeHeaders }: CompiledConfig, near?: (at: Point) => void): AskOf {
  const matters = ({ localities, healthCheck }: CompiledCluster): boolean => localities.length > 1 || (near !== undefined && healthCheck !== null && healthCheck.regions.length > 0);
  const placed = new Set<CompiledRoute>(routes.filter(({ split, residency }) => residency.length > 0 || split.some(({ cluster }) => matters(clusters[cluster]!))));
  return (call) => ({
    route: call.route,
    place: placed.has(call.route) ? placeOf(call, placeHeaders, near) : nowhere,
    key: call.route.sticky === null ? undefined : keyOf(call, call.route.sticky),
  });
}

function placeOf({ facts, request }: Asking, { latitude, longitude, country, continent }: CompiledPlaceHeaders, near: ((at: Point) => void) | undefined): Place {
  const known = facts.place();
  if (known !== null) {
    const place = readPlace(known);
    if (place.at !== undefined) near?.(place.at);
    return place;
  }
  const read = (name: string): string | null => (name === "" ? null : request.headers.get(name));
  return readPlace({ latitude: read(latitude), longitude: read(longitude), country: read(country), continent: read(continent) });
}

function keyOf({ facts, metadata }: Asking, { by, name }: CompiledSticky): string | undefined {
  switch (by) {
    case "address": return facts.clientAddress() ?? undefined;
    case "header": return metadata.get(name) || undefined;
    case "cookie": return cookie(metadata.get("cookie") ?? "", name);
  }
}

/** https://www.rfc-editor.org/rfc/rfc6265#section-4.2.1; of several with this name the first. Several header fields are joined by commas. */
function cookie(header: string, name: string): string | undefined {
  for (const pair of header.split(/;|,(?= *[!#$%&'*+.^`|~\w-]+=)/)) {
    const equals = pair.indexOf("=");
    if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim() || undefined;
  }
  return undefined;
}
