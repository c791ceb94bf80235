import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Message } from '../../../src/domain/message.ts';
import { encodeBinary } from '../../../src/domain/wire/binary.ts';
import { deliveriesOf } from '../../../src/queues/bullmq/job-delivery.ts';
import { eventOf, messageOf } from '../../../src/queues/bullmq/job-events.ts';
import { readJobText } from '../../../src/queues/bullmq/job-text.ts';
import { RepeatedAttributes } from '../../../src/queues/bullmq/repeated-attributes.ts';
import { anyCommand } from '../../laws/wire/arbitrary-commands.ts';

const place = { shard: 0, shards: 1, shardOf: () => 0 };
const attributes = new RepeatedAttributes();

function messagesIn(text: string | Buffer, count: number): readonly Message[] {
  const job = { first: 0, count, time: 0, data: Buffer.from(text) };
  return deliveriesOf(job, place, attributes).map((delivery) => plain(delivery.message()));
}

/** Buffers and other views of the same bytes are equal. */
function plain({ key, headers, value }: Message): Message {
  return {
    key: key && Uint8Array.from(key),
    headers: headers.map(([name, bytes]) => [name, Uint8Array.from(bytes)]),
    value: Uint8Array.from(value),
  };
}

const someText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({ unit: fc.constantFrom('"', '\\', 'a', '\n', 'é', '{'), maxLength: 200 }),
  fc.stringMatching(/^[a-z0-9,]{60,300}$/),
);
const name = fc.oneof(
  fc.constantFrom('id', 'subject', 'type', 'source', 'datacontenttype', 'macpsequence'),
  fc.stringMatching(/^[a-z][a-z0-9"\\é]{0,8}$/),
);
const withData = fc.oneof(
  fc.constant({}),
  fc.record({ data: someText }),
  fc.record({ data_base64: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('base64')) }),
);
const event = fc
  .tuple(fc.dictionary(name, someText, { maxKeys: 6, noNullPrototype: true }), withData)
  .map(([members, data]) => ({ ...members, ...data }));

function needsEscape(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes).toString('utf8');
  return JSON.stringify(text) !== `"${text}"`;
}

test('what our publishers write is read as it was written, without being parsed unless an attribute is escaped', () => {
  fc.assert(
    fc.property(fc.array(anyCommand, { minLength: 1, maxLength: 8 }), (commands) => {
      const messages = commands.map((command) => encodeBinary(command));
      const text = JSON.stringify({ events: messages.map(eventOf) });
      const isEscaped = messages.some(({ headers }) => headers.some(([, bytes]) => needsEscape(bytes)));
      if (!isEscaped) expect(readJobText(Buffer.from(text), messages.length)).toBeDefined();
      expect(messagesIn(text, messages.length)).toEqual(messages.map(plain));
    }),
  );
});

test('any events of texts are read as JSON.parse reads them', () => {
  fc.assert(
    fc.property(fc.array(event, { minLength: 1, maxLength: 5 }), (events) => {
      const expected = events.map((one) => plain(messageOf(one) ?? expect.fail('they are events')));
      expect(messagesIn(JSON.stringify({ events }), events.length)).toEqual(expected);
    }),
  );
});

test('what is read without being parsed is JSON of the same events, whatever byte is changed or cut off', () => {
  const events = [
    { id: 'a', type: 'b', subject: 'c', data: '{"x":"\\"y\\\\\u0001"}' },
    { id: 'd', data_base64: 'AAE=' },
    { id: 'e' },
  ];
  const text = Buffer.from(JSON.stringify({ events }));
  for (let at = 0; at < text.length; at += 1) {
    for (const byte of Buffer.from('"\\{}[],:/u0a= \xff', 'latin1')) {
      const changed = Buffer.from(text);
      changed[at] = byte;
      for (const one of [changed, changed.subarray(0, at)]) assertParsed(one, events.length);
    }
  }
});

function assertParsed(text: Buffer, count: number): void {
  if (readJobText(text, count) === undefined) return;
  const parsed = JSON.parse(text.toString('utf8')) as { readonly events: readonly unknown[] };
  expect(parsed.events).toHaveLength(count);
  const expected = parsed.events.map((one) => plain(messageOf(one) ?? expect.fail('an event is none')));
  expect(messagesIn(text, count)).toEqual(expected);
}

test('another number of events than was counted is not taken for the job', () => {
  const text = Buffer.from(JSON.stringify({ events: [{ id: 'a' }, { id: 'b' }] }));
  for (const count of [1, 3]) expect(readJobText(text, count)).toBeUndefined();
});
