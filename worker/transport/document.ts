import type { Ports } from "../proxy/ports.ts";
import { errorText } from "./fetch.ts";

/** Gets a document, as `Ports.fetch` says. */
export const fetchDocument: Ports["fetch"] = async (url, signal) => {
  try {
    const { status, body } = await fetch(url, { headers: { accept: "application/json" }, redirect: "manual", cache: "no-store", signal } as RequestInit);
    return { status, body };
  } catch (error) {
    return { failure: errorText(error) };
  }
};
