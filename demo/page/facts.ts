/** What the page must know of the proxy, as `GET /facts` tells it. */
export interface Facts {
  /** The proxy's URL. */
  readonly proxy: string;
  /** The split: weights by cluster. */
  readonly weights: Readonly<Record<string, number>>;
  readonly localities: readonly { readonly region: string; readonly at: { readonly lat: number; readonly lng: number } }[];
}
