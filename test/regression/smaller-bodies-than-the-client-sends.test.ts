import { expect, test } from 'vitest';
import type { SessionId } from '../../src/domain/identifiers.ts';
import type { FiledId } from '../../src/domain/plan.ts';
import { connectService } from '../../src/http-client/remote-service.ts';
import { RemoteSink } from '../../src/http-client/remote-sink.ts';
import { RemoteWatch } from '../../src/http-client/remote-watch.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { PublishRequest, PublishResult } from '../../src/ports/service.ts';
import { openServer } from '../integration/http-server/open-server.ts';
import { stubService } from '../integration/http-server/stub-service.ts';
import { append } from '../support/commands.ts';

const limits = { requestsPerSecond: 0, connections: 100, bodyBytes: 16 * 1024, bufferedBytes: 64 * 1024 };

function resultOf(offset: number): PublishResult {
  const position = { partition: 0, offset };
  const known = { session_id: 's', id: 'i', writer: '//w', epoch: 1, sequence: 1, dead_letter: null };
  return { ...known, position, outcome: 'durable' };
}

// A publish failed with REQUEST_TOO_LARGE where the service, or a proxy before it, takes less than 32 MiB.
test('commands travel in as many requests as the service wants, in order, and learn from it', async () => {
  let offset = 0;
  const sizes: number[] = [];
  const publish = async ({ events }: PublishRequest): Promise<readonly PublishResult[]> => {
    sizes.push(events.length);
    return events.map(() => resultOf(offset++));
  };
  let refused = 0;
  const observeRequest = ({ status }: { readonly status: number }): void => {
    if (status === 413) refused += 1;
  };
  await using server = await openServer({ service: stubService({ publish }), limits, observeRequest });
  await using service = connectService({ url: server.url });
  const sink = new RemoteSink(service, systemClock);
  const commands = Array.from({ length: 500 }, (_, index) => append(index + 1, `m${index}`));
  expect((await sink.publish(commands)).map((position) => position.offset)).toEqual(commands.map((_, index) => index));
  expect(sizes.length).toBeGreaterThan(4);
  expect(refused).toBeGreaterThan(0);
  const before = refused;
  await sink.publish(commands);
  expect(refused).toBe(before);
  await expect(sink.publish([append(501, 'x'.repeat(limits.bodyBytes))])).rejects.toMatchObject({
    code: 'REQUEST_TOO_LARGE',
  });
});

test('keys that need more room than a request has are asked for in parts', async () => {
  await using server = await openServer({ areFiled: async (keys) => keys.map(({ id }) => id.endsWith('3')), limits });
  await using service = connectService({ url: server.url });
  const keys = Array.from({ length: 1_000 }, (_, index) => ({
    session: '\u0001'.repeat(200) as SessionId,
    id: `${index}` as FiledId,
  }));
  expect(await new RemoteWatch(service).areFiled(keys)).toEqual(keys.map(({ id }) => id.endsWith('3')));
});
