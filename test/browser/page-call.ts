import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { ConnectError } from "@connectrpc/connect";
import { NoCopyLeftSchema } from "../../gen/fairlead/demo/v1/library_pb.js";

/** connect-web over its two protocols, and the official grpc-web in its two formats. */
export const clients = ["connect-web, Connect JSON", "connect-web, Connect binary", "connect-web, Connect GET", "connect-web, gRPC-Web", "grpc-web, binary", "grpc-web, text"] as const;

export type ClientName = (typeof clients)[number];

interface Via {
  readonly client: ClientName;
  readonly baseUrl: string;
  /** The client sends the header x-tenant, and a timeout: what a page must ask leave for. */
  readonly custom: boolean;
}

/** A call, as it is handed to the page. */
export type Call = Via &
  ({ readonly method: "getBook" | "borrowBook"; readonly request: { readonly isbn: string } } | { readonly method: "listBooks"; readonly request: { readonly author: string } });

/** What a client told the page of a call. */
export interface Outcome {
  readonly books: readonly { readonly isbn: string; readonly title: string }[];
  readonly header: Readonly<Record<string, string>>;
  readonly trailer: Readonly<Record<string, string>>;
  readonly error?: Failure;
  /** How often the client told of an end. */
  readonly ends: number;
}

export interface Failure {
  /** https://grpc.github.io/grpc/core/md_doc_statuscodes.html, the same numbers in Connect's clients. */
  readonly code: number;
  readonly message: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly details: readonly Detail[];
}

export interface Detail {
  readonly isbn: string;
  readonly copies: number;
  /** Milliseconds since the epoch. */
  readonly nextDue: number | undefined;
}

/** How long a call with a timeout may take, in milliseconds. */
export const timeoutMs = 20_000;

export function details(error: ConnectError | undefined): Detail[] {
  return (error?.findDetails(NoCopyLeftSchema) ?? []).map(({ isbn, copies, nextDue }) => ({ isbn, copies, nextDue: nextDue && timestampMs(nextDue) }));
}

/** How many messages have come to this page so far. */
export let arrived = 0;

export function bookOf({ book }: { readonly book?: { readonly isbn: string; readonly title: string } | undefined }) {
  arrived++;
  return { isbn: book?.isbn ?? "", title: book?.title ?? "" };
}
