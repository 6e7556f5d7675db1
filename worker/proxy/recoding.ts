import type { MethodRecoder } from "../core/schema/recode.ts";

/** Recoders by method path, loaded when the first call needs one: most proxies never recode, and none pays for it at its start. */
export interface Recoding {
  /** To be awaited before `of`, where it is a promise. */
  load(): Promise<void> | undefined;
  of(path: string): MethodRecoder | undefined;
}

/** `descriptors` is a FileDescriptorSet in base64, or null where there is none. */
export function recoding(descriptors: string | null): Recoding {
  let find: ((path: string) => MethodRecoder | undefined) | undefined;
  return {
    load() {
      if (find !== undefined || descriptors === null) return undefined;
      return import("../core/schema/recode.ts").then(({ recoders }) => void (find ??= recoders(descriptors)));
    },
    of: (path) => find?.(path),
  };
}
