/** Follows HTTP/1.1 replies on one connection; just enough to know where each ends. */
export interface ReplyReader {
  /** Takes bytes as they came; true when the reply is complete. Throws an Error where it is none with status 200. */
  push(chunk: Buffer): boolean;
  /** Body bytes since the last call of this. */
  takeBytes(): number;
}

type State = "head" | "length" | "size" | "data" | "trailers";

export function replyReader(): ReplyReader {
  let state: State = "head";
  let text = "";
  let left = 0;
  let bytes = 0;

  /** Adds a line to `text`; gives the index after it, or -1 where the chunk ends first. */
  function line(chunk: Buffer, from: number): number {
    const at = chunk.indexOf(10, from);
    text += chunk.toString("latin1", from, at === -1 ? chunk.length : at + 1);
    return at === -1 ? -1 : at + 1;
  }

  function readHead(head: string): State | undefined {
    if (!head.startsWith("HTTP/1.1 200 ")) throw new Error(`Cannot go on as every reply must be HTTP 200: current one begins ${JSON.stringify(head.slice(0, 60))}`);
    if (/\r\ntransfer-encoding: *chunked\r\n/i.test(head)) return "size";
    left = Number(/\r\ncontent-length: *(\d+)\r\n/i.exec(head)?.[1]);
    if (Number.isNaN(left)) throw new Error("Cannot go on as a reply must have a length or be chunked");
    return left === 0 ? undefined : "length";
  }

  return {
    push(chunk) {
      for (let at = 0; at < chunk.length; ) {
        if (state === "length" || state === "data") {
          const step = Math.min(left, chunk.length - at);
          at += step;
          left -= step;
          bytes += step;
          if (left > 0) return false;
          if (state === "length") {
            state = "head";
            return true;
          }
          state = "size";
          // The line break after a chunk's data is read as an empty size line.
          continue;
        }
        at = line(chunk, at);
        if (at === -1) return false;
        if (state === "head") {
          if (!text.endsWith("\r\n\r\n")) continue;
          const next = readHead(text);
          text = "";
          state = next ?? "head";
          if (next === undefined) return true;
          continue;
        }
        const read = text.trim();
        text = "";
        if (state === "size" && read !== "") {
          left = Number.parseInt(read, 16);
          state = left === 0 ? "trailers" : "data";
        } else if (state === "trailers" && read === "") {
          state = "head";
          return true;
        }
      }
      return false;
    },
    takeBytes() {
      const taken = bytes;
      bytes = 0;
      return taken;
    },
  };
}
