/** Base64 as the dialects use it: https://www.rfc-editor.org/rfc/rfc4648 */

/** Bytes to standard base64 with padding. */
export function base64Encode(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += 0x8000) {
    binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  }
  return btoa(binary);
}

/** Bytes to standard base64 without padding (`-bin` metadata, Connect error details). */
export function base64EncodeUnpadded(bytes: Uint8Array): string {
  return base64Encode(bytes).replace(/=+$/, "");
}

/** Base64 or base64url, padded or not, to bytes; undefined where the text is neither. */
export function base64Decode(text: string): Uint8Array<ArrayBuffer> | undefined {
  const standard = text.replaceAll("-", "+").replaceAll("_", "/");
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(standard)) return undefined;
  const bare = standard.replace(/=+$/, "");
  if (bare.length % 4 === 1) return undefined;
  if (bare.length !== standard.length && standard.length % 4 !== 0) return undefined;
  return bytesOfBinary(atob(bare));
}

function bytesOfBinary(binary: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/**
 * Decodes grpc-web-text as it arrives: a run of base64 segments, each padded for itself, so padding may stand
 * anywhere and a chunk may end inside a quantum. `push` gives the bytes of the quanta that are whole by now.
 * Both throw `RangeError` on text that is not base64.
 */
export function base64Decoder(): { push(chunk: Uint8Array): Uint8Array<ArrayBuffer>; finish(): void } {
  let rest = "";
  return {
    push(chunk) {
      let text = rest;
      for (let at = 0; at < chunk.length; at += 0x8000) text += String.fromCharCode(...chunk.subarray(at, at + 0x8000));
      const whole = text.length - (text.length % 4);
      rest = text.slice(whole);
      return decodeQuanta(text.slice(0, whole));
    },
    finish() {
      if (rest !== "") throw new RangeError("base64 ends inside a quantum");
    },
  };
}

function decodeQuanta(text: string): Uint8Array<ArrayBuffer> {
  if (!/^(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)*$/.test(text)) throw new RangeError("not base64");
  let binary = "";
  for (let at = 0; at < text.length; ) {
    const pad = text.indexOf("=", at);
    const to = pad === -1 ? text.length : pad - (pad % 4) + 4;
    binary += atob(text.slice(at, to));
    at = to;
  }
  return bytesOfBinary(binary);
}
