import { callAuthority, deadlineMs, endpoints, healthPath, localities } from "./layout.ts";
import type { Drill } from "./options.ts";
import { wiresOf } from "./wires.ts";

/**
 * Envoy's bootstrap, as JSON: the drill's places as priorities, nearest first, and all that keeps calls from failing turned on. What its defaults would
 * hold back (three retries at once, a tenth of the endpoints ejected, thirty seconds of ejection) is set as an operator would who has read of it.
 * https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/config/bootstrap/v3/bootstrap.proto
 */
export function envoyConfig(urls: readonly string[], drill: Drill): object {
  const { origins } = wiresOf(drill);
  return {
    admin: { address: address(0) },
    static_resources: {
      listeners: [{ name: "drill", address: address(0), filter_chains: [{ filters: [connectionManager(drill)] }] }],
      clusters: [{
        name: "drill",
        type: "STATIC",
        connect_timeout: "1s",
        load_assignment: { cluster_name: "drill", endpoints: localities.map(({ name }, priority) => ({ locality: { region: name }, priority, lb_endpoints: endpointsAt(urls, priority) })) },
        health_checks: [{ timeout: "1s", interval: "10s", no_traffic_interval: "10s", unhealthy_threshold: 3, healthy_threshold: 2, ...check(origins) }],
        outlier_detection: outlierDetection,
        circuit_breakers: { thresholds: [{ max_connections: 100_000, max_pending_requests: 100_000, max_requests: 100_000, max_retries: 100_000 }] },
        typed_extension_protocol_options: {
          "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": typed("envoy.extensions.upstreams.http.v3.HttpProtocolOptions", {
            explicit_http_config: origins === "grpc" ? { http2_protocol_options: {} } : { http_protocol_options: {} },
          }),
        },
      }],
    },
  };
}

/** Ejects by five failures in a row or 30 % of a second's calls, whole places too, for 5 s at first. */
const outlierDetection = {
  interval: "1s",
  base_ejection_time: "5s",
  max_ejection_time: "300s",
  max_ejection_percent: 100,
  consecutive_5xx: 5,
  enforcing_consecutive_5xx: 100,
  consecutive_gateway_failure: 5,
  enforcing_consecutive_gateway_failure: 100,
  enforcing_success_rate: 0,
  failure_percentage_threshold: 30,
  enforcing_failure_percentage: 100,
  failure_percentage_minimum_hosts: 3,
  failure_percentage_request_volume: 20,
};

/** Two retries, each given a second, at a place and an endpoint that were not tried. A method that may not be repeated: only where nothing was sent. */
function retryPolicy({ method }: Drill): object {
  return {
    retry_on: method === "unsafe" ? "connect-failure,refused-stream" : "5xx,gateway-error,reset,connect-failure,refused-stream,unavailable",
    num_retries: 2,
    ...(method !== "unsafe" && { per_try_timeout: "1s" }),
    retry_host_predicate: [{ name: "envoy.retry_host_predicates.previous_hosts", typed_config: typed("envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate") }],
    host_selection_retry_max_attempts: 5,
    retry_priority: { name: "envoy.retry_priorities.previous_priorities", typed_config: typed("envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig", { update_frequency: 1 }) },
  };
}

function connectionManager(drill: Drill): object {
  const filter = (name: string, type: string) => ({ name: `envoy.filters.http.${name}`, typed_config: typed(`envoy.extensions.filters.http.${name}.v3.${type}`) });
  return {
    name: "envoy.filters.network.http_connection_manager",
    typed_config: typed("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager", {
      stat_prefix: "drill",
      route_config: { virtual_hosts: [{ name: "drill", domains: ["*"], routes: [{ match: { prefix: "/" }, route: { cluster: "drill", timeout: `${deadlineMs / 1000}s`, retry_policy: retryPolicy(drill) } }] }] },
      http_filters: [...(wiresOf(drill).origins === "grpc" ? [filter("grpc_web", "GrpcWeb")] : []), filter("router", "Router")],
    }),
  };
}

function endpointsAt(urls: readonly string[], locality: number): object[] {
  return urls.flatMap((url, i) => (endpoints[i]?.locality === locality ? [{ endpoint: { address: address(Number(new URL(url).port)) } }] : []));
}

/** grpc.health.v1 where origins speak gRPC; else the same in Connect, whose message is empty. */
function check(origins: ReturnType<typeof wiresOf>["origins"]): object {
  if (origins === "grpc") return { grpc_health_check: {} };
  const header = (key: string, value: string) => ({ header: { key, value } });
  return { http_health_check: { host: callAuthority, path: healthPath, method: "POST", request_headers_to_add: [header("content-type", "application/proto"), header("content-length", "0")] } };
}

function address(port: number): object {
  return { socket_address: { address: "127.0.0.1", port_value: port } };
}

function typed(type: string, fields: object = {}): object {
  return { "@type": `type.googleapis.com/${type}`, ...fields };
}
