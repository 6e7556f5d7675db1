/** `grpc-message`: percent-encoded UTF-8. https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#responses */

/** Everything but printable ASCII, `%` itself, and blanks at either end (a header would lose them) become `%XX` of its UTF-8 bytes. */
export function grpcMessageEncode(text: string): string {
  // The look behind keeps a long row of blanks inside from being tried at each of them.
  return text.toWellFormed().replace(/^\x20+|(?<!\x20)\x20+$|[^\x20-\x24\x26-\x7e]+/g, (run) =>
    Array.from(new TextEncoder().encode(run), (b) => "%" + b.toString(16).toUpperCase().padStart(2, "0")).join(""),
  );
}

/** Never fails: a `%` that begins no escape stands for itself, bytes that are no UTF-8 become U+FFFD. */
export function grpcMessageDecode(text: string): string {
  return text.replace(/(?:%[0-9A-Fa-f]{2})+/g, (run) =>
    new TextDecoder().decode(Uint8Array.from(run.slice(1).split("%"), (hex) => parseInt(hex, 16))),
  );
}
