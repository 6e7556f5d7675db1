import type { FileRegistry } from "@bufbuild/protobuf";
import type { Config } from "../../gen/fairlead/config/v1/config_pb.js";
import type { Report } from "./report.ts";
import type { MapTree } from "./tree.ts";

/** What the checks of one config share. */
export interface Checking {
  readonly config: Config;
  readonly tree: MapTree;
  readonly registry: FileRegistry;
  /** Whether the registry holds all that the config's descriptors should. */
  readonly complete: boolean;
  readonly report: Report;
}
