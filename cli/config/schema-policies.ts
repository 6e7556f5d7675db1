import { type FileRegistry, getOption, hasOption } from "@bufbuild/protobuf";
import { policy as policyOption, type Policy } from "../../gen/fairlead/policy/v1/policy_pb.js";

/** What the schema says of a method with (fairlead.policy.v1.policy). */
export interface SchemaPolicy {
  /** "/package.Service/Method" */
  readonly method: string;
  readonly policy: Policy;
}

/** The policies of the descriptors' methods, in order of path. Read by the option's number, whatever the descriptors know of it. */
export function schemaPolicies(registry: FileRegistry): SchemaPolicy[] {
  const found: SchemaPolicy[] = [];
  for (const file of registry.files) {
    for (const service of file.services) {
      for (const method of service.methods) {
        if (hasOption(method, policyOption)) found.push({ method: `/${service.typeName}/${method.name}`, policy: getOption(method, policyOption) });
      }
    }
  }
  return found.sort((a, b) => (a.method < b.method ? -1 : 1));
}

/** Whether a policy says who may call, and not just how long a call may take. */
export function saysWho({ public: everybody, scopes, claims, provider }: Policy): boolean {
  return everybody || scopes.length > 0 || Object.keys(claims).length > 0 || provider !== "";
}
