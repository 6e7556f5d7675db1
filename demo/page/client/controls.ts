import { places } from "../../places.ts";
import type { Facts } from "../facts.ts";
import type { Settings } from "./call.ts";
import { byId, make } from "./dom.ts";
import type { Point } from "./geo.ts";

export interface ControlOptions {
  /** Something that decides where calls go was changed; `settled` where it is not just on its way. */
  readonly onChange: (settled: boolean) => void;
  /** Another split is wanted. */
  readonly onSplit: (weights: Facts["weights"]) => void;
}

export interface Controls {
  settings(): Omit<Settings, "token">;
  /** Moves the caller to where no named place is, so that the country is not known. */
  moveTo(at: Point, settled: boolean): void;
  /** Remembers where the caller is; what it gives brings the caller back there. */
  hold(): () => void;
  /** Shows the split that holds, and why it is not the one that was asked for. */
  showSplit(weights: Facts["weights"], error: string): void;
}

/** A key that is held down changes much: what follows within so many milliseconds is one change. */
const pauseMs = 250;

/** The page's fields, filled with what the proxy serves. */
export function readControls({ weights }: Facts, { onChange, onSplit }: ControlOptions): Controls {
  const place = byId("place", HTMLSelectElement);
  const [lat, lng] = [byId("lat", HTMLInputElement), byId("lng", HTMLInputElement)];
  const country = byId("country", HTMLSelectElement);
  const reader = byId("reader", HTMLInputElement);
  const resident = byId("resident", HTMLInputElement);
  const split = byId("split", HTMLInputElement);
  const atError = byId("at-error", HTMLElement);
  const splitError = byId("split-error", HTMLElement);
  /** Where the caller is, whatever is being typed. */
  let at: Point | undefined;
  const settle = pausing(() => onChange(true));
  const settleSplit = pausing(() => onSplit({ "library-v1": 100 - Number(split.value), "library-v2": Number(split.value) }));

  place.append(...places.map(({ name }) => make("option", "", name)), make("option", "", "elsewhere"));
  choose();
  showSplit(weights, "");

  place.addEventListener("change", () => {
    choose();
    onChange(true);
  });
  for (const field of [lat, lng]) field.addEventListener("change", typed);
  country.addEventListener("change", () => onChange(true));
  resident.addEventListener("change", () => onChange(true));
  for (const radio of document.querySelectorAll("input[name=transport]")) radio.addEventListener("change", () => onChange(true));
  reader.addEventListener("input", () => {
    byId("shares-note", HTMLElement).hidden = readerName() === "";
    onChange(false);
    settle();
  });
  split.addEventListener("input", () => {
    labelSplit();
    splitError.textContent = "";
    settleSplit();
  });

  /** Fills the fields with the chosen place. */
  function choose(): void {
    const chosen = places.find(({ name }) => name === place.value);
    if (chosen === undefined) return setElsewhere(false);
    fill(chosen.at);
    country.value = chosen.country ?? "";
  }
  function fill(to: Point | undefined): void {
    lat.value = to === undefined ? "" : String(to.lat);
    lng.value = to === undefined ? "" : String(to.lng);
    at = to;
    complain(undefined);
  }
  /** Takes what was typed, or says why it is no place; the caller then stays. */
  function typed(): void {
    const wrong = wrongIn("Latitude", lat, 90) ?? wrongIn("Longitude", lng, 180);
    complain(wrong);
    if (wrong !== undefined) return;
    at = lat.value === "" || lng.value === "" ? undefined : { lat: Number(lat.value), lng: Number(lng.value) };
    setElsewhere(true);
  }
  function complain(says: string | undefined): void {
    for (const field of [lat, lng]) field.setAttribute("aria-invalid", String(says !== undefined && !field.validity.valid));
    atError.textContent = says === undefined ? "" : `${says} The caller stays.`;
  }
  function setElsewhere(settled: boolean): void {
    place.value = "elsewhere";
    country.value = "";
    onChange(false);
    if (settled) settle();
  }
  function showSplit(weights: Facts["weights"], error: string): void {
    split.value = String(weights["library-v2"] ?? 0);
    splitError.textContent = error;
    labelSplit();
  }
  function labelSplit(): void {
    const toV2 = Number(split.value);
    byId("to-v1", HTMLElement).textContent = `v1 ${100 - toV2} %`;
    byId("to-v2", HTMLElement).textContent = `v2 ${toV2} %`;
    split.setAttribute("aria-valuetext", `${100 - toV2} % to v1, ${toV2} % to v2`);
  }
  /** A header holds visible ASCII. */
  function readerName(): string {
    return reader.value.replace(/[^\x21-\x7e]+/g, " ").trim();
  }

  return {
    settings: () => ({
      ...(at && { at }),
      country: country.value,
      reader: readerName(),
      resident: resident.checked,
      transport: document.querySelector<HTMLInputElement>("input[name=transport]:checked")?.value === "grpc-web" ? "grpc-web" : "connect",
    }),
    moveTo(to, settled) {
      fill(to);
      setElsewhere(settled);
    },
    hold() {
      const was = { at, place: place.value, country: country.value };
      return () => {
        fill(was.at);
        place.value = was.place;
        country.value = was.country;
        onChange(true);
      };
    },
    showSplit,
  };
}

function wrongIn(name: string, { value, validity }: HTMLInputElement, most: number): string | undefined {
  if (validity.valid) return undefined;
  return validity.badInput ? `${name} must be a number.` : `${name} must be from \u2212${most} to ${most}: it is ${value.replace("-", "\u2212")}.`;
}

function pausing(run: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(run, pauseMs);
  };
}
