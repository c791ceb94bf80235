import type { EventEmitter } from 'node:events';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { GatewayAnswer, GatewayEvents, GatewayState } from '../ports/telemetry.ts';

/** A gateway, as far as it is measured. */
export type MeasuredGateway = Pick<EventEmitter<GatewayEvents>, 'on' | 'off'> & { readonly state: GatewayState };

const states: readonly GatewayState[] = ['idle', 'fencing', 'catching up', 'open', 'settling', 'ended'];

/** Counts what a gateway tells about itself. Returns what ends that. */
export function measureGateway(gateway: MeasuredGateway, registry: Registry): () => void {
  const noteRequest = requestMetrics(registry);
  const cuts = new Counter({
    name: 'macp_persist_gateway_cuts_total',
    help: 'Connections of runtimes that were ended without an answer to what was under way.',
    registers: [registry],
  });
  const noteCut = (): void => cuts.inc();
  gateway.on('request', noteRequest).on('cut', noteCut);
  new Gauge({
    name: 'macp_persist_gateway_state',
    help: '1 for the state that the gateway is in, 0 for all others.',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      for (const state of states) this.set({ state }, state === gateway.state ? 1 : 0);
    },
  });
  return () => gateway.off('request', noteRequest).off('cut', noteCut);
}

function requestMetrics(registry: Registry): (command: string, answer: GatewayAnswer, milliseconds: number) => void {
  const requests = new Counter({
    name: 'macp_persist_gateway_requests_total',
    help: 'Requests of runtimes, by command and by whether they were answered, refused, or cut without an answer.',
    labelNames: ['command', 'answer'],
    registers: [registry],
  });
  const seconds = new Histogram({
    name: 'macp_persist_gateway_request_duration_seconds',
    help: 'From the arrival of a request of a runtime until its answer was known; none takes longer than 0.4 s.',
    labelNames: ['command'],
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.4],
    registers: [registry],
  });
  return (command, answer, milliseconds) => {
    requests.inc({ command, answer });
    seconds.observe({ command }, milliseconds / 1000);
  };
}
