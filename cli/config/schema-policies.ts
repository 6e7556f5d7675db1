import { type DescExtension, type DescMethod, type FileRegistry, getOption, hasOption } from "@bufbuild/protobuf";
import { policy as policyOption, type Policy, PolicySchema } from "../../gen/fairlead/policy/v1/policy_pb.js";

/** What the schema says of a method with (fairlead.policy.v1.policy). */
export interface SchemaPolicy {
  /** "/package.Service/Method" */
  readonly method: string;
  readonly policy: Policy;
}

export const policyNumber = policyOption.number;

/** The policies of the descriptors' methods, in order of path; none where the descriptors mean anything else by the option's number. */
export function schemaPolicies(registry: FileRegistry): SchemaPolicy[] {
  return mistakenMethods(registry) === undefined ? numbered(registry).map((method) => ({ method: pathOf(method), policy: getOption(method, policyOption) })) : [];
}

/** Methods with an option of the policy's number which the descriptors do not declare, or declare as something else: the number is from a range that is everybody's. */
export function mistakenMethods(registry: FileRegistry): { readonly methods: readonly string[]; readonly meant: string | undefined } | undefined {
  const methods = numbered(registry).map(pathOf);
  const meanings = [...registry].filter((type) => type.kind === "extension").filter(({ number, extendee }) => number === policyNumber && extendee.typeName === policyOption.extendee.typeName);
  const other = meanings.find((meaning) => !isPolicy(meaning));
  return methods.length === 0 || (meanings.length > 0 && other === undefined) ? undefined : { methods, meant: other?.typeName };
}

function isPolicy({ typeName, message }: DescExtension): boolean {
  return typeName === policyOption.typeName && message?.typeName === PolicySchema.typeName;
}

/** The methods that have an option of the policy's number, in order of path. */
function numbered(registry: FileRegistry): DescMethod[] {
  const methods = [...registry.files].flatMap(({ services }) => services.flatMap((service) => service.methods));
  return methods.filter((method) => hasOption(method, policyOption)).sort((a, b) => (pathOf(a) < pathOf(b) ? -1 : 1));
}

function pathOf({ parent, name }: DescMethod): string {
  return `/${parent.typeName}/${name}`;
}

/** Whether a policy says who may call, and not just how long a call may take. */
export function saysWho({ public: everybody, scopes, claims, provider }: Policy): boolean {
  return everybody || scopes.length > 0 || Object.keys(claims).length > 0 || provider !== "";
}
