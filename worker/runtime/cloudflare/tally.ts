import type { SharedLeases, Tally } from "../../proxy/ports.ts";

/** What is asked of an object that counts: see `SharedLeases` and `Tally`. */
export interface TallyObject {
  begin(cluster: string, ms: number): ReturnType<SharedLeases["begin"]>;
  further(cluster: string, call: number, ended: readonly number[]): ReturnType<SharedLeases["further"]>;
  answered(cluster: string, call: number, attempt: number): Promise<void>;
  end(cluster: string, call: number): Promise<void>;
  count(limit: string, account: string): Promise<number>;
}

/** https://developers.cloudflare.com/durable-objects/api/namespace/#getbyname */
export interface TallyNamespace {
  getByName(name: string): TallyObject;
}

/**
 * Counting in Durable Objects: one for each cluster, and sixteen for each limit, by the first digit of the account. An object does some hundred calls a second, so that one
 * for a limit would be too few; with one for each account, any caller could start as many as he has addresses.
 * A stub is of one request, so that each message has its own.
 */
export function objectTally(objects: TallyNamespace): Tally {
  return {
    leases: (cluster) => {
      const object = (): TallyObject => objects.getByName(`cluster ${cluster}`);
      return {
        begin: async (ms) => object().begin(cluster, ms),
        further: async (call, ended) => object().further(cluster, call, ended),
        answered: async (call, attempt) => object().answered(cluster, call, attempt),
        end: async (call) => object().end(cluster, call),
      };
    },
    count: async ({ name }, account) => objects.getByName(`limit ${name} ${account.slice(0, 1)}`).count(name, account),
  };
}
