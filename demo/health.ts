import { create, createFileRegistry, type DescMethodUnary } from "@bufbuild/protobuf";
import { FieldDescriptorProto_Label, FieldDescriptorProto_Type, type FileDescriptorProto, FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";

/**
 * What of grpc.health.v1 an origin needs to be probed: Check.
 * https://github.com/grpc/grpc/blob/master/doc/health-checking.md
 */
const file: FileDescriptorProto = create(FileDescriptorProtoSchema, {
  name: "grpc/health/v1/health.proto",
  package: "grpc.health.v1",
  syntax: "proto3",
  messageType: [
    { name: "HealthCheckRequest", field: [{ name: "service", jsonName: "service", number: 1, type: FieldDescriptorProto_Type.STRING, label: FieldDescriptorProto_Label.OPTIONAL }] },
    {
      name: "HealthCheckResponse",
      field: [{ name: "status", jsonName: "status", number: 1, type: FieldDescriptorProto_Type.ENUM, typeName: ".grpc.health.v1.HealthCheckResponse.ServingStatus", label: FieldDescriptorProto_Label.OPTIONAL }],
      enumType: [{ name: "ServingStatus", value: ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"].map((name, number) => ({ name, number })) }],
    },
  ],
  service: [{ name: "Health", method: [{ name: "Check", inputType: ".grpc.health.v1.HealthCheckRequest", outputType: ".grpc.health.v1.HealthCheckResponse" }] }],
});

const check = createFileRegistry(create(FileDescriptorSetSchema, { file: [file] })).getService("grpc.health.v1.Health")!.method["check"] as DescMethodUnary;

const serving = 1;

/** Adds a health service that answers SERVING for the server as a whole ("") and for this service, and not_found for others. */
export function addHealth(router: ConnectRouter, service: string): void {
  router.rpc(check, (request) => {
    const asked = (request as unknown as { readonly service?: string }).service ?? "";
    if (asked !== "" && asked !== service) throw new ConnectError(`no service ${asked} is here`, Code.NotFound);
    return { status: serving } as never;
  });
}
