import fc from 'fast-check';
import { expect, test } from 'vitest';
import { followedEvent, type ServerSentEvent, serverSentEvents } from '../../../src/http-client/event-stream.ts';

async function* chunksOf(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let start = 0;
  for (const size of [...sizes, bytes.length]) {
    yield bytes.subarray(start, start + size);
    start += size;
  }
}

async function eventsOf(text: string, sizes: readonly number[] = []) {
  const found: Record<string, string>[] = [];
  for await (const { type, data, id } of serverSentEvents(chunksOf(Buffer.from(text), sizes))) {
    found.push({ type, data: Buffer.from(data).toString(), id });
  }
  return found;
}

const event = (type: string, id: string, data: string): ServerSentEvent => ({ type, id, data: Buffer.from(data) });

test('comments, unknown fields and events without data are passed over', async () => {
  const text = ':\n\n: hello\n\nretry: 5\n\nid: 1.0\nevent: entry\nodd\ndata: {}\n\nevent: entry\n\n';
  expect(await eventsOf(text)).toEqual([{ type: 'entry', id: '1.0', data: '{}' }]);
});

test('one space after the colon is none of the value, and carriage returns end lines too', async () => {
  expect(await eventsOf('event:entry\r\ndata:  a\r\ndata:b\r\n\r\n')).toEqual([
    { type: 'entry', id: '', data: ' a\nb' },
  ]);
});

test('an event that the end cuts short is none', async () => {
  expect(await eventsOf('data: whole\n\ndata: half\n')).toEqual([{ type: 'message', id: '', data: 'whole' }]);
});

test('however the stream is cut into chunks, the events are the same', async () => {
  const text = ':\n\nid: 0.7\nevent: entry\ndata: {"a":"ü\u2028"}\n\nevent: reset\ndata: {"generation":2}\n\n';
  const expected = await eventsOf(text);
  expect(expected).toHaveLength(2);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(9)), async (sizes) => {
      expect(await eventsOf(text, sizes)).toEqual(expected);
    }),
  );
});

test('an entry is told with its place, a reset with its generation, and what is newer not at all', () => {
  const entry = Buffer.from('{"b":0.0}');
  expect(followedEvent(event('entry', '3.14', '{"b":0.0}'))).toEqual({
    kind: 'entry',
    generation: 3,
    ordinal: 14,
    entry,
  });
  expect(followedEvent(event('reset', '', '{"generation":4}'))).toEqual({ kind: 'reset', generation: 4 });
  expect(followedEvent(event('newer', '', '{}'))).toBeUndefined();
});

test.each([event('entry', '', '{}'), event('entry', '3', '{}'), event('reset', '', '{}')])(
  'what cannot be placed is an error: $type "$id"',
  (unusable) => {
    expect(() => followedEvent(unusable)).toThrow('unusable');
  },
);
