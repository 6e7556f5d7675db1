import { byId, make } from "./dom.ts";
import { greatCircle, north, type Point, south, spell, wrapLng } from "./geo.ts";
import { isLand } from "./land.ts";

export interface MapOptions {
  readonly localities: readonly { readonly region: string; readonly at: Point }[];
  /** The caller was moved; `settled` once the pointer let go, or a key was pressed. */
  readonly onMove: (at: Point, settled: boolean) => void;
  /** The pointer takes the caller; what it gives puts the caller back. */
  readonly onGrab: () => () => void;
}

export interface CallerMap {
  /** Puts the caller there; undefined takes it off the map. */
  setCaller(at: Point | undefined): void;
  /** Draws the way of the last call, and says how far that is; undefined takes it off. */
  setWay(region: string | undefined, km?: number): void;
}

const steps: Readonly<Record<string, readonly [lat: number, lng: number]>> = { ArrowUp: [1, 0], ArrowDown: [-1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/** The map: dots for land, the localities, and the caller, who moves by pointer and by arrow keys (5°, with Shift 1°). */
export function createMap({ localities, onMove, onGrab }: MapOptions): CallerMap {
  const map = byId("map", HTMLElement);
  const way = byId("way", SVGPathElement);
  const pin = byId("pin", HTMLElement);
  const says = byId("map-says", HTMLElement);
  let caller: Point | undefined;
  const whereabouts = (): string => (caller === undefined ? "Nobody knows where the caller is." : `The caller is at ${spell(caller)}.`);
  byId("land", SVGPathElement).setAttribute("d", landPath());
  const markers = new Map(localities.map(({ region, at }) => [region, marker(region, at)]));
  pin.before(...markers.values());

  map.addEventListener("keydown", (event) => {
    const step = steps[event.key];
    if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const by = event.shiftKey ? 1 : 5;
    const { lat, lng } = caller ?? { lat: 0, lng: 0 };
    onMove({ lat: clamp(lat + step[0] * by), lng: round(wrapLng(lng + step[1] * by)) }, true);
  });
  const pointTo = ({ clientX, clientY }: PointerEvent, settled: boolean) => {
    const { left, top, width, height } = map.getBoundingClientRect();
    const lng = ((clientX - left) / width) * 360 - 180;
    onMove({ lat: clamp(north - ((clientY - top) / height) * (north - south)), lng: round(Math.min(180, Math.max(-180, lng))) }, settled);
  };
  let putBack: (() => void) | undefined;
  map.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button !== 0) return;
    putBack = onGrab();
    map.setPointerCapture(event.pointerId);
    pointTo(event, false);
  });
  map.addEventListener("pointermove", (event) => event.isPrimary && putBack !== undefined && pointTo(event, false));
  map.addEventListener("pointerup", (event) => {
    if (!event.isPrimary || event.button !== 0 || putBack === undefined) return;
    putBack = undefined;
    pointTo(event, true);
  });
  // The browser took the touch to scroll the page.
  map.addEventListener("pointercancel", (event) => {
    if (!event.isPrimary) return;
    putBack?.();
    putBack = undefined;
  });

  return {
    setCaller(at) {
      caller = at;
      pin.hidden = at === undefined;
      if (at !== undefined) place(pin, at);
      says.textContent = whereabouts();
    },
    setWay(region, km) {
      for (const [name, element] of markers) element.classList.toggle("reached", name === region);
      const to = localities.find((locality) => locality.region === region)?.at;
      says.textContent = `${whereabouts()}${region === undefined ? "" : ` The last call went to ${region}${km === undefined ? "" : `, ${km} km`}.`}`;
      way.setAttribute("d", caller === undefined || to === undefined ? "" : greatCircle(caller, to));
    },
  };
}

function marker(region: string, at: Point): HTMLElement {
  const element = make("span", at.lng > 90 ? "marker left" : "marker", make("span", "label", region));
  place(element, at);
  return element;
}

function place(element: HTMLElement, { lat, lng }: Point): void {
  element.style.left = `${((lng + 180) / 360) * 100}%`;
  element.style.top = `${((north - clamp(lat)) / (north - south)) * 100}%`;
}

function clamp(lat: number): number {
  return round(Math.min(north, Math.max(south, lat)));
}

function round(degrees: number): number {
  return Math.round(degrees * 100) / 100;
}

/** A dot for every 2.5° that is land: a path of lines without length, whose round ends are the dots. */
function landPath(): string {
  const grid = 2.5;
  let path = "";
  for (let lat = north - grid / 2; lat > south; lat -= grid) {
    for (let lng = -180 + grid / 2; lng < 180; lng += grid) if (isLand({ lat, lng })) path += `M${lng + 180} ${north - lat}h0`;
  }
  return path;
}
