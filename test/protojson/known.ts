/** What the proxy does with a message where connect-go does otherwise: takes what it refuses, refuses what it takes, gives other values, or fails. */
export type Effect = "accepts" | "refuses" | "alters" | "fails";

/** Who departs from https://protobuf.dev/programming-guides/json/; "neither" where it leaves the choice. */
export type Departs = "Fairlead" | "connect-go" | "neither";

interface Known {
  readonly departs: Departs;
  readonly effects: readonly Effect[];
  readonly connectGo: string;
  readonly fairlead: string;
  readonly why: string;
}

/** Every difference there is, by its reason. One that no message shows any more fails the measurement, so that this stays true. */
export const known = {
  "unquoted 64-bit integer": {
    departs: "connect-go", effects: ["alters", "refuses", "accepts"],
    connectGo: "reads all digits", fairlead: "rounds to a double beyond 2^53; the largest are refused then, and some just out of range taken",
    why: 'the specification wants that rounding, so that all languages read the same ("Strings for int64")',
  },
  "quoted exponent": { departs: "Fairlead", effects: ["refuses"], connectGo: 'takes "1e3" and "1.0" as 64-bit integers', fairlead: "refuses, though it takes them as 32-bit ones", why: "protobuf-es reads 64-bit text with BigInt" },
  "digits beyond a double": { departs: "neither", effects: ["accepts", "alters"], connectGo: "judges all digits: 1e-400 is no integer, a float is rounded once", fairlead: "judges what is left of them in a double", why: "JSON.parse; the specification leaves precision to JSON" },
  "null beside a oneof's choice": { departs: "Fairlead", effects: ["refuses"], connectGo: "leaves a null message of a oneof out", fairlead: "takes it for a second choice", why: "protobuf-es skips null there for scalars alone" },
  "null extension": { departs: "Fairlead", effects: ["alters"], connectGo: "leaves it out", fairlead: "sets it to its default", why: "protobuf-es does not look for null in extensions" },
  "URL of an Any": { departs: "Fairlead", effects: ["alters"], connectGo: "keeps @type as it is", fairlead: "puts type.googleapis.com/ before the type's name", why: "protobuf-es packs with that prefix; the specification has the URL that was set" },
  "Empty in an Any": { departs: "connect-go", effects: ["refuses", "alters"], connectGo: 'writes {"@type", "value": {}}', fairlead: 'writes {"@type"} and refuses "value"', why: "to the specification Empty is a message like any other" },
  "Any without its value": { departs: "neither", effects: ["accepts"], connectGo: 'wants "value", and of its type', fairlead: "takes the type's default for a missing one, or for a wrapper's null", why: "protobuf-es looks less closely" },
  "deep nesting": { departs: "Fairlead", effects: ["refuses"], connectGo: "10,000 levels", fairlead: "100 levels", why: "a bound on what a caller can make the proxy's stack do" },
  "minus zero": { departs: "Fairlead", effects: [], connectGo: "writes -0", fairlead: "writes 0", why: "JSON.stringify" },
  "impossible date": { departs: "Fairlead", effects: ["accepts"], connectGo: "refuses", fairlead: "counts on: 30 February is 1 March, 24:00 the next day", why: "Date.parse" },
  "loose duration": { departs: "Fairlead", effects: ["accepts"], connectGo: "refuses", fairlead: "takes what follows the s, and leading zeros", why: "protobuf-es's pattern has no end" },
  "loose number": { departs: "Fairlead", effects: ["accepts"], connectGo: "refuses", fairlead: 'takes text as JavaScript does: "0x1", "+1", ".5", "01"; 64-bit with spaces', why: "Number and BigInt" },
  "loose base64": { departs: "Fairlead", effects: ["accepts"], connectGo: "refuses", fairlead: "takes spaces, both alphabets at once, padding that is too much, too little or inside", why: "protobuf-es's decoder" },
  "loose field mask": { departs: "Fairlead", effects: ["accepts", "alters"], connectGo: "takes paths of identifiers, trims around", fairlead: "takes any text without _", why: "protobuf-es looks less closely" },
  "unknown field": { departs: "neither", effects: ["refuses"], connectGo: "takes an Any without @type for an empty one, and skips keys that are no Unicode", fairlead: "refuses", why: "connect-go sets DiscardUnknown, which in Go reaches as far as that" },
  "closed enum": { departs: "neither", effects: ["refuses"], connectGo: "keeps a number that a proto2 enum has not", fairlead: "refuses it", why: "in protobuf it would be an unknown field, which has no JSON" },
  "required in an Any": { departs: "neither", effects: ["refuses"], connectGo: "does not ask for required fields inside an Any", fairlead: "does", why: "protobuf-es checks in writing" },
  "duplicate key": { departs: "connect-go", effects: ["accepts"], connectGo: "refuses", fairlead: "takes the last, as the specification wants", why: "JSON.parse; Go's reader sees both" },
  "byte order mark": { departs: "neither", effects: ["accepts"], connectGo: "refuses", fairlead: "skips it", why: "RFC 8259, section 8.1 allows it" },
  "float digits": { departs: "neither", effects: [], connectGo: "writes the shortest that is the same float: 0.1", fairlead: "writes the same float as a double: 0.10000000149011612", why: "protobuf-es leaves the text to JSON.stringify" },
  "group's own name": { departs: "connect-go", effects: ["alters"], connectGo: "takes the group's name beside its field's", fairlead: "takes it for an unknown field", why: "the field's name is in lower case" },
  "lenient timestamp": { departs: "connect-go", effects: ["refuses"], connectGo: "takes offsets from 24:00 on, a comma, an hour of one digit", fairlead: "refuses, as RFC 3339 does", why: "Go's time.Parse" },
  "lenient duration": { departs: "connect-go", effects: ["refuses"], connectGo: "takes +1s, .5s and 1.s", fairlead: "refuses", why: "protobuf-es wants digits" },
} as const satisfies Readonly<Record<string, Known>>;

export type Reason = keyof typeof known;
export const reasons = Object.keys(known) as Reason[];

/** Those of the reasons that may have this effect. */
export function explaining(among: Iterable<Reason>, effect: Effect): Reason[] {
  return [...among].filter((reason) => (known[reason].effects as readonly Effect[]).includes(effect));
}
