/**
 * What the suite's runner should take for given, as its YAML. HTTP/1.1 without TLS is what a proxy speaks on one's own
 * machine; in production the platform stands in front of it and speaks the rest.
 * https://github.com/connectrpc/conformance/blob/v1.0.5/docs/configuring_and_running_tests.md
 */
export function featuresYaml({ protocols }: { protocols: readonly ("PROTOCOL_CONNECT" | "PROTOCOL_GRPC_WEB")[] }): string {
  return `features:
  versions: [HTTP_VERSION_1]
  protocols: [${protocols.join(", ")}]
  codecs: [CODEC_PROTO, CODEC_JSON]
  compressions: [COMPRESSION_IDENTITY, COMPRESSION_GZIP]
  streamTypes:
    - STREAM_TYPE_UNARY
    - STREAM_TYPE_CLIENT_STREAM
    - STREAM_TYPE_SERVER_STREAM
    - STREAM_TYPE_HALF_DUPLEX_BIDI_STREAM
  supportsH2c: false
  supportsTls: false
  supportsTrailers: false
  supportsHalfDuplexBidiOverHttp1: true
  supportsConnectGet: true
  supportsMessageReceiveLimit: true
`;
}
