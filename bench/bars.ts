/** How much each may cost; for ratios, over the cheapest Worker that forwards a call. */
export const bars: Readonly<Record<string, number>> = {
  pass: 1.4,
  reframe: 1.55,
  blind: 1.2,
  watched: 4,
  /** Over the call whose token is not looked at. */
  "token verified": 1.3,
  "token verified before": 1.1,
  /** kB, minified and gzipped. */
  bundle: 200,
  /** Milliseconds of CPU over an empty Worker's. */
  evaluation: 25,
  /** MB that the process grows by at its highest: twice the budget of 48 MiB. */
  "slow reader": 100,
  uploads: 100,
  "chunked uploads": 100,
  /** 1,000 routes over 10. */
  "route look-up": 1.1,
  /** Microseconds, and bytes. */
  "time of a pick": 5,
  "memory of a pick": 1024,
};

/** "1.40 ok", "1.40 OVER", or "" where there is no bar. */
export function verdict(name: string, value: number): string {
  const bar = bars[name];
  return bar === undefined ? "" : `${bar} ${value <= bar ? "ok" : "OVER"}`;
}
