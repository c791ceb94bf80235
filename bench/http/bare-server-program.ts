import { fastify } from 'fastify';
import { sessionIds } from '../support/entries.ts';

/**
 * A bare Fastify route that answers with logs from memory: the same bytes that the service at `url` answers with for
 * the first `sessions` sessions. Prints where it listens.
 */
const { url, sessions } = JSON.parse(process.argv[2] ?? '') as { readonly url: string; readonly sessions: number };

const logs = new Map<string, Buffer>();
for (const session of sessionIds(sessions)) {
  const answer = await fetch(`${url}/v1/sessions/${session}/log`);
  if (answer.status !== 200) throw new Error(`the service answered with ${answer.status}`);
  logs.set(session, Buffer.from(await answer.arrayBuffer()));
}

const app = fastify();
app.get<{ readonly Params: { readonly id: string } }>('/v1/sessions/:id/log', async ({ params }, reply) =>
  reply.type('application/x-ndjson').send(logs.get(params.id)),
);
console.log(await app.listen({ host: '127.0.0.1', port: 0 }));
process.once('SIGTERM', () => process.exit());
