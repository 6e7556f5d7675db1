/** A point on the map, in degrees: latitude from -90 to 90, longitude from -180 to 180. */
export interface Point {
  readonly lat: number;
  readonly lng: number;
}

/** Where a caller is, as far as anybody knows. */
export interface Place {
  readonly at: Point | undefined;
  /** ISO 3166-1 alpha-2: "DE". */
  readonly country: string | undefined;
  /** AF, AN, AS, EU, NA, OC or SA. */
  readonly continent: string | undefined;
}

/** A place as a platform or a header tells it: text or number, perhaps missing, perhaps nonsense. */
export type RawPlace = Readonly<Partial<Record<"latitude" | "longitude" | "country" | "continent", unknown>>>;

export const nowhere: Place = { at: undefined, country: undefined, continent: undefined };

/** Reads a place; what makes no sense is as if it were missing. A country tells its continent, whatever else does. */
export function readPlace(raw: RawPlace): Place {
  const lat = degrees(raw.latitude, 90);
  const lng = degrees(raw.longitude, 180);
  const country = code(raw.country, (name) => continents.has(name));
  return {
    at: lat === undefined || lng === undefined ? undefined : { lat, lng },
    country,
    continent: country === undefined ? code(raw.continent, isContinent) : continents.get(country),
  };
}

function degrees(raw: unknown, most: number): number | undefined {
  const value = typeof raw === "string" && raw.trim() !== "" ? Number(raw) : raw;
  return typeof value === "number" && Math.abs(value) <= most ? value : undefined;
}

function code(raw: unknown, isKnown: (code: string) => boolean): string | undefined {
  const name = typeof raw === "string" ? raw.trim().toUpperCase() : "";
  return isKnown(name) ? name : undefined;
}

const radius = 6371.0088;
const radians = Math.PI / 180;

/** Great-circle distance in km, by the haversine formula on a sphere of the Earth's mean radius (0.5 % off at most). */
export function kilometres(a: Point, b: Point): number {
  const half = (degree: number): number => Math.sin((degree * radians) / 2) ** 2;
  const h = half(a.lat - b.lat) + Math.cos(a.lat * radians) * Math.cos(b.lat * radians) * half(a.lng - b.lng);
  return 2 * radius * Math.asin(Math.sqrt(Math.min(1, h)));
}

/** Countries by continent, as GeoNames has them: https://download.geonames.org/export/dump/countryInfo.txt */
const countries: Readonly<Record<string, string>> = {
  AF: "AO BF BI BJ BW CD CF CG CI CM CV DJ DZ EG EH ER ET GA GH GM GN GQ GW KE KM LR LS LY MA MG ML MR MU MW MZ NA NE NG RE RW SC SD SH SL SN SO SS ST SZ TD TG TN TZ UG YT ZA ZM ZW",
  AN: "AQ BV GS HM TF",
  AS: "AE AF AM AZ BD BH BN BT CC CN GE HK ID IL IN IO IQ IR JO JP KG KH KP KR KW KZ LA LB LK MM MN MO MV MY NP OM PH PK PS QA SA SG SY TH TJ TM TR TW UZ VN YE",
  EU: "AD AL AT AX BA BE BG BY CH CY CZ DE DK EE ES FI FO FR GB GG GI GR HR HU IE IM IS IT JE LI LT LU LV MC MD ME MK MT NL NO PL PT RO RS RU SE SI SJ SK SM UA VA XK",
  NA: "AG AI AW BB BL BM BQ BS BZ CA CR CU CW DM DO GD GL GP GT HN HT JM KN KY LC MF MQ MS MX NI PA PM PR SV SX TC TT US VC VG VI",
  OC: "AS AU CK CX FJ FM GU KI MH MP NC NF NR NU NZ PF PG PN PW SB TK TL TO TV UM VU WF WS",
  SA: "AR BO BR CL CO EC FK GF GY PE PY SR UY VE",
};

const continents = new Map(Object.entries(countries).flatMap(([continent, codes]) => codes.split(" ").map((country) => [country, continent])));

export function isCountry(code: string): boolean {
  return continents.has(code);
}

export function isContinent(code: string): boolean {
  return Object.hasOwn(countries, code);
}

/** The continent of a country, both as codes; undefined where there is no such country. */
export function continentOf(country: string): string | undefined {
  return continents.get(country);
}
