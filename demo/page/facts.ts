/** What the page must know of the proxy, as `GET /facts` tells it. */
export interface Facts {
  /** The proxy's URL. */
  readonly proxy: string;
  /** The split: weights by cluster. */
  readonly weights: Readonly<Record<string, number>>;
  readonly localities: readonly { readonly region: string; readonly at: { readonly lat: number; readonly lng: number } }[];
}

/** An endpoint, as `GET /endpoints` tells of all. */
export interface EndpointFacts {
  readonly cluster: string;
  readonly region: string;
  readonly url: string;
  /** Whether its origin listens. */
  readonly runs: boolean;
  /** By the proxy's health table; unknown where there is none that may be believed. */
  readonly state: "healthy" | "unhealthy" | "unknown";
  /** For how long it has been in this state, in milliseconds. */
  readonly forMs?: number;
  /** What the last failed probe said, or what is to be noted of one that is healthy. */
  readonly detail?: string;
}

/** What `POST /endpoints` takes: which origin is to run or not. It answers as GET does. */
export interface Switch {
  readonly cluster: string;
  readonly region: string;
  readonly run: boolean;
}

/** What `POST /sign-in` answers. */
export interface SignedIn {
  readonly subject: string;
  /** For the header authorization, behind "Bearer ". */
  readonly token: string;
}
