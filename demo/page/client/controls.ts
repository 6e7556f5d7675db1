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
  settings(): Settings;
  /** Moves the caller to where no named place is, so that the country is not known. */
  moveTo(at: Point, settled: boolean): void;
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
  const settle = pausing(() => onChange(true));
  const settleSplit = pausing(() => onSplit({ "library-v1": 100 - Number(split.value), "library-v2": Number(split.value) }));

  place.append(...places.map(({ name }) => make("option", "", name)), make("option", "", "elsewhere"));
  choose();
  split.value = String(weights["library-v2"] ?? 0);
  labelSplit();

  place.addEventListener("change", () => {
    choose();
    onChange(true);
  });
  for (const field of [lat, lng]) field.addEventListener("change", () => setElsewhere(true));
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
    settleSplit();
  });

  /** Fills the fields with the chosen place. */
  function choose(): void {
    const chosen = places.find(({ name }) => name === place.value);
    if (chosen === undefined) return setElsewhere(false);
    lat.value = chosen.at === undefined ? "" : String(chosen.at.lat);
    lng.value = chosen.at === undefined ? "" : String(chosen.at.lng);
    country.value = chosen.country ?? "";
  }
  function setElsewhere(settled: boolean): void {
    place.value = "elsewhere";
    country.value = "";
    onChange(false);
    if (settled) settle();
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
      ...(isPoint(lat, lng) && { at: { lat: Number(lat.value), lng: Number(lng.value) } }),
      country: country.value,
      reader: readerName(),
      resident: resident.checked,
      transport: document.querySelector<HTMLInputElement>("input[name=transport]:checked")?.value === "grpc-web" ? "grpc-web" : "connect",
    }),
    moveTo(at, settled) {
      lat.value = String(at.lat);
      lng.value = String(at.lng);
      setElsewhere(settled);
    },
  };
}

function isPoint(...fields: HTMLInputElement[]): boolean {
  return fields.every(({ value, validity }) => value !== "" && validity.valid);
}

function pausing(run: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(run, pauseMs);
  };
}
