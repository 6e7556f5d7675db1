export interface Point {
  readonly lat: number;
  readonly lng: number;
}

/** What the map shows: all longitudes, and latitudes between these. */
export const north = 84;
export const south = -60;

/** A longitude brought to -180 up to 180. */
export function wrapLng(lng: number): number {
  return lng > 180 ? lng - 360 : lng < -180 ? lng + 360 : lng;
}

/**
 * The shortest way between two points, as an SVG path in degrees (x from -180, y from `north` down). A way that leaves
 * the map on one side is drawn once more where it comes back.
 */
export function greatCircle(from: Point, to: Point): string {
  const [a, b] = [vector(from), vector(to)];
  const angle = Math.acos(Math.min(1, Math.max(-1, a[0] * b[0] + a[1] * b[1] + a[2] * b[2])));
  if (angle < 0.01) return "";
  const steps = 64;
  const points: (readonly [number, number])[] = [];
  for (let i = 0; i <= steps; i++) {
    const [p, q] = [Math.sin((1 - i / steps) * angle), Math.sin((i / steps) * angle)];
    const [x, y, z] = [a[0] * p + b[0] * q, a[1] * p + b[1] * q, a[2] * p + b[2] * q];
    const lng = degrees(Math.atan2(y, x));
    const last = points.at(-1)?.[0] ?? lng;
    points.push([lng + 360 * Math.round((last - lng) / 360), degrees(Math.atan2(z, Math.hypot(x, y)))]);
  }
  return [-360, 0, 360].map((shift) => `M${points.map(([lng, lat]) => `${(lng + shift + 180).toFixed(1)} ${(north - lat).toFixed(1)}`).join("L")}`).join("");
}

function vector({ lat, lng }: Point): readonly [number, number, number] {
  const [phi, lambda] = [(lat * Math.PI) / 180, (lng * Math.PI) / 180];
  return [Math.cos(phi) * Math.cos(lambda), Math.cos(phi) * Math.sin(lambda), Math.sin(phi)];
}

function degrees(radians: number): number {
  return (radians * 180) / Math.PI;
}

/** "50.1° N, 8.7° E" */
export function spell({ lat, lng }: Point): string {
  return `${Math.abs(lat).toFixed(1)}° ${lat < 0 ? "S" : "N"}, ${Math.abs(lng).toFixed(1)}° ${lng < 0 ? "W" : "E"}`;
}
