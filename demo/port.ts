import { createServer } from "node:net";

/** The port if it is free on 127.0.0.1, else 0, which stands for any free one. */
export function portOrAny(port: number): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(0));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(port)));
  });
}
