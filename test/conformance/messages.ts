import { readFileSync } from "node:fs";
import type { Readable } from "node:stream";
import { create, createFileRegistry, fromBinary, toBinary, type Message } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { suite } from "./suite.ts";

/** `connectrpc.conformance.v1.Protocol` */
export const protocol = { connect: 1, grpcWeb: 3 } as const;

/** Fields of `connectrpc.conformance.v1.ServerCompatRequest` that matter over HTTP/1.1 without TLS. */
export interface ServerCompatRequest {
  readonly protocol: number;
  readonly httpVersion: number;
  /** In bytes; 0 for none. */
  readonly messageReceiveLimit: number;
}

/** Where the server under test listens: `connectrpc.conformance.v1.ServerCompatResponse`. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Reads and writes one message type of the suite. */
export interface Wire<T> {
  decode(bytes: Uint8Array): T;
  encode(fields: Partial<T>): Uint8Array;
}

/** The suite's messages between its runner and the programs under test, by the suite's own descriptors. */
export function suiteMessages(): {
  serverRequest: Wire<ServerCompatRequest>;
  serverResponse: Wire<Address>;
  clientRequest: Wire<Address>;
} {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(suite.descriptors)));
  const wire = <T>(name: string): Wire<T> => {
    const desc = registry.getMessage(`connectrpc.conformance.v1.${name}`);
    if (desc === undefined) throw new Error(`Cannot read ${suite.descriptors} as it must describe ${name}`);
    return {
      decode: (bytes) => fromBinary(desc, bytes) as Message & T,
      encode: (fields) => toBinary(desc, create(desc, fields)),
    };
  };
  return {
    serverRequest: wire("ServerCompatRequest"),
    serverResponse: wire("ServerCompatResponse"),
    clientRequest: wire("ClientCompatRequest"),
  };
}

/** Puts the length before a message: 32 bits, big-endian. */
export function framed(message: Uint8Array): Uint8Array {
  const frame = new Uint8Array(4 + message.length);
  new DataView(frame.buffer).setUint32(0, message.length);
  frame.set(message, 4);
  return frame;
}

/** The messages in a stream of `framed` ones, each as soon as it has come whole. Throws when the stream ends inside one. */
export async function* frames(stream: Readable): AsyncGenerator<Uint8Array, void, void> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 4) {
      const end = 4 + rest.readUInt32BE();
      if (rest.length < end) break;
      yield rest.subarray(4, end);
      rest = rest.subarray(end);
    }
  }
  if (rest.length > 0) throw new Error(`stream ends ${rest.length} bytes into a message`);
}
