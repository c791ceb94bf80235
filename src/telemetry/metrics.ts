import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Clock } from '../ports/clock.ts';
import { type MeasuredGateway, measureGateway } from './gateway-metrics.ts';
import { type MeasuredPipeline, measurePipeline } from './pipeline-metrics.ts';
import { measureStanding, type StandingSource } from './standing-metrics.ts';

export interface MetricsOptions extends StandingSource {
  /** Absent where no worker runs. */
  readonly pipeline?: MeasuredPipeline | undefined;
  /** Absent where no gateway runs. */
  readonly gateway?: MeasuredGateway | undefined;
  readonly clock: Clock;
  readonly version: string;
}

/** An answered request. `route` is the pattern that the path matched, never the path: paths hold session ids. */
export interface AnsweredRequest {
  readonly route: string;
  readonly method: string;
  readonly status: number;
  readonly seconds: number;
}

/** What Prometheus reads. Labels hold only names that this program knows beforehand. */
export interface Metrics extends AsyncDisposable {
  readonly contentType: string;
  /** All metrics in the text format; resolves within seconds also when queue and store do not answer. */
  text(): Promise<string>;
  observeRequest(request: AnsweredRequest): void;
  /** Stops counting. Idempotent. */
  close(): Promise<void>;
}

/**
 * Metrics of this process, in a registry of their own: `macp_persist_*`, and the usual ones of a Node process (memory,
 * CPU, lag of the event loop), which watch the process for as long as it lives.
 */
export function createMetrics({ pipeline, gateway, totals, lag, clock, version }: MetricsOptions): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const stopMeasuring = pipeline === undefined ? undefined : measurePipeline(pipeline, clock, registry);
  const stopMeasuringGateway = gateway === undefined ? undefined : measureGateway(gateway, registry);
  const readStanding = measureStanding({ totals, lag }, clock, registry);
  const observeRequest = requestMetrics(registry);
  buildMetric(version, registry);
  const close = async (): Promise<void> => {
    stopMeasuring?.();
    stopMeasuringGateway?.();
    registry.clear();
  };
  return {
    contentType: registry.contentType,
    text: async () => {
      await readStanding();
      return await registry.metrics();
    },
    observeRequest,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function requestMetrics(registry: Registry): (request: AnsweredRequest) => void {
  const requests = new Counter({
    name: 'macp_persist_http_requests_total',
    help: 'Requests answered, by the pattern of their path, method and status.',
    labelNames: ['route', 'method', 'status'],
    registers: [registry],
  });
  const seconds = new Histogram({
    name: 'macp_persist_http_request_duration_seconds',
    help: 'From a request until its answer was sent; waiting reads and followers last as long as asked for.',
    labelNames: ['route', 'method'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60],
    registers: [registry],
  });
  return ({ route, method, status, seconds: taken }) => {
    requests.inc({ route, method, status });
    seconds.observe({ route, method }, taken);
  };
}

function buildMetric(version: string, registry: Registry): void {
  new Gauge({
    name: 'macp_persist_build_info',
    help: 'Always 1; tells the version.',
    labelNames: ['version'],
    registers: [registry],
  }).set({ version }, 1);
}
