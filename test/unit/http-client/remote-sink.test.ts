import { expect, test } from 'vitest';
import { PersistenceError } from '../../../src/domain/errors.ts';
import { decodeEvent } from '../../../src/domain/wire/structured.ts';
import { RemoteSink } from '../../../src/http-client/remote-sink.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import type { PublishRequest, PublishResult } from '../../../src/ports/service.ts';
import { append, claim, create, numbered } from '../../support/commands.ts';

const recordingClock = (sleeps: number[]): Clock => ({
  now: () => 0,
  elapsed: () => 0,
  async sleep(milliseconds) {
    sleeps.push(milliseconds);
  },
});

/** A service that numbers positions in the order of arrival, or refuses with the codes given. */
function service(requests: PublishRequest[], refusals: ('QUEUE_FULL' | 'SERVICE_UNAVAILABLE')[] = []) {
  let offset = 0;
  return {
    async publish(request: PublishRequest): Promise<readonly PublishResult[]> {
      requests.push(request);
      const refusal = refusals.shift();
      if (refusal !== undefined) throw new PersistenceError(refusal, 'not now');
      return request.events.map((_, index) => {
        offset += 1;
        const position = { partition: 0, offset: offset - 1 };
        const id = `${index}`;
        return {
          session_id: 's',
          id,
          writer: '//w',
          epoch: 1,
          sequence: 1,
          position,
          outcome: 'durable',
          dead_letter: null,
        };
      });
    },
  };
}

test('commands arrive as they were, in order, durable, and their positions come back in order', async () => {
  const requests: PublishRequest[] = [];
  const commands = [claim(2, '//test/two'), create(1), append(2, 'ü')];
  const signal = new AbortController().signal;
  const positions = await new RemoteSink(service(requests), recordingClock([])).publish(commands, signal);
  expect(positions.map(({ offset }) => offset)).toEqual([0, 1, 2]);
  expect(requests).toMatchObject([{ until: 'durable', signal }]);
  expect(requests[0]?.events.map((event) => decodeEvent(event))).toMatchObject([
    { kind: 'claim', epoch: 2, writer: '//test/two' },
    { kind: 'numbered', sequence: 1, type: 'macp.session.create.v1' },
    { kind: 'numbered', sequence: 2, type: 'macp.log.append.v1' },
  ]);
});

test('nothing to publish is no request', async () => {
  const requests: PublishRequest[] = [];
  expect(await new RemoteSink(service(requests), recordingClock([])).publish([])).toEqual([]);
  expect(requests).toEqual([]);
});

test('what is too much for one request travels in several, each below what a service takes', async () => {
  const requests: PublishRequest[] = [];
  const data = 'x'.repeat(16 * 1024 * 1024);
  const commands = [1, 2, 3].map((sequence) => numbered('macp.receipt.store.v1', sequence, data));
  const positions = await new RemoteSink(service(requests), recordingClock([])).publish(commands);
  expect(positions.map(({ offset }) => offset)).toEqual([0, 1, 2]);
  const sizes = requests.map(({ events }) => events.reduce((sum, { length }) => sum + length + 1, 1));
  expect(requests.flatMap(({ events }) => events)).toHaveLength(3);
  for (const size of sizes) expect(size).toBeLessThan(32 * 1024 * 1024);
});

test('a full queue and a service that does not answer are told, for the publisher to wait', async () => {
  const sink = new RemoteSink(service([], ['QUEUE_FULL', 'SERVICE_UNAVAILABLE']), recordingClock([]));
  await expect(sink.publish([create(1)])).rejects.toMatchObject({ code: 'QUEUE_FULL', retryable: true });
  await expect(sink.publish([create(1)])).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE', retryable: true });
  expect(await sink.publish([create(1)])).toHaveLength(1);
});

test('waiting for room takes longer each time, with an end to it, and starts anew once something was published', async () => {
  const sleeps: number[] = [];
  const sink = new RemoteSink(service([]), recordingClock(sleeps));
  for (let times = 0; times < 10; times += 1) await sink.whenWritable();
  expect(sleeps).toEqual([...sleeps].sort((left, right) => left - right));
  expect(sleeps.slice(-2)).toEqual([2000, 2000]);
  await sink.publish([create(1)]);
  await sink.whenWritable();
  expect(sleeps.at(-1)).toBe(sleeps[0]);
});
