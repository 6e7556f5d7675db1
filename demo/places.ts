/** Where a caller may be, as the demo tells it to the proxy in the headers that fairlead.yaml names. */
export interface CallerPlace {
  /** Degrees; without it nobody knows where the caller is. */
  readonly at?: { readonly lat: number; readonly lng: number };
  /** ISO 3166-1 alpha-2. */
  readonly country?: string;
}

export interface NamedPlace extends CallerPlace {
  readonly name: string;
  /** The region that is nearest, so that calls from here should go there; none where any will do. */
  readonly goesTo?: string;
}

/** The places from which the demo calls. Two of them are 22 km apart, on either side of the antimeridian. */
export const places: readonly NamedPlace[] = [
  { name: "Frankfurt", at: { lat: 50.11, lng: 8.68 }, country: "DE", goesTo: "eu-central" },
  { name: "London", at: { lat: 51.51, lng: -0.13 }, country: "GB", goesTo: "eu-central" },
  { name: "New York", at: { lat: 40.71, lng: -74.01 }, country: "US", goesTo: "us-east" },
  { name: "São Paulo", at: { lat: -23.55, lng: -46.63 }, country: "BR", goesTo: "us-east" },
  { name: "Tokyo", at: { lat: 35.68, lng: 139.69 }, country: "JP", goesTo: "ap-southeast" },
  { name: "Pacific, 179.9° E", at: { lat: 0, lng: 179.9 }, goesTo: "ap-southeast" },
  { name: "Pacific, 179.9° W", at: { lat: 0, lng: -179.9 }, goesTo: "ap-southeast" },
  { name: "nowhere" },
];

/** The headers of a call from there. */
export function placeHeaders({ at, country }: CallerPlace): Record<string, string> {
  return {
    ...(at && { "x-demo-latitude": String(at.lat), "x-demo-longitude": String(at.lng) }),
    ...(country && { "x-demo-country": country }),
  };
}
