import type { FastifyInstance } from 'fastify';
import { describeOperation, jsonAnswer, rawAnswer } from '../answers.ts';
import { ProblemError } from '../problem.ts';
import type { RouteContext } from './context.ts';

/** What the process tells of itself. */
export interface ProcessState {
  /** Metrics in the text format of Prometheus. */
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
  /** Whether it can do its work at present, and if not, why. */
  readonly isReady: () => { readonly ready: boolean; readonly because: string | undefined };
  /** Whether it should go on running. */
  readonly isLive: () => boolean;
}

function flagAnswer(name: string, description: string): object {
  return jsonAnswer(description, { type: 'object', properties: { [name]: { const: true } }, required: [name] });
}

/** What machines ask a process. */
export function operationRoutes(app: FastifyInstance, { access }: RouteContext, state: ProcessState): void {
  app.get('/healthz', {
    schema: describeOperation({
      id: 'health',
      tag: 'operations',
      summary: 'Whether the process should go on running',
      scope: undefined,
      answers: { 200: flagAnswer('live', 'It should') },
    }),
    handler: async () => {
      if (state.isLive()) return { live: true };
      throw new ProblemError('STALLED', 'the process is about to end', { status: 503 });
    },
  });

  app.get('/readyz', {
    schema: describeOperation({
      id: 'readiness',
      tag: 'operations',
      summary: 'Whether the process does its work at present',
      scope: undefined,
      answers: { 200: flagAnswer('ready', 'It does') },
    }),
    handler: async () => {
      const { ready, because } = state.isReady();
      if (ready) return { ready: true };
      throw new ProblemError('SERVICE_UNAVAILABLE', because ?? 'the service is not ready', {});
    },
  });

  app.get('/metrics', {
    schema: describeOperation({
      id: 'metrics',
      tag: 'operations',
      summary: 'Metrics in the text format of Prometheus',
      scope: 'read',
      answers: { 200: rawAnswer('The metrics', 'text/plain') },
    }),
    onRequest: [...access.read],
    handler: async (_request, reply) => {
      const { contentType, text } = await state.metrics();
      return reply.type(contentType).send(Buffer.from(text, 'utf8'));
    },
  });

  app.get('/openapi.json', {
    schema: describeOperation({
      id: 'description',
      tag: 'operations',
      summary: 'This description of the service',
      scope: undefined,
      answers: { 200: jsonAnswer('OpenAPI 3.1', { type: 'object' }) },
    }),
    // Made once, when all routes are known, and never changed.
    handler: async () => app.swagger(),
  });
}
