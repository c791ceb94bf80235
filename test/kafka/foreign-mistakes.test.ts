import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SessionId } from '../../src/domain/identifiers.ts';
import { partitionOf } from '../../src/domain/partition.ts';
import type { DeadLetterDetail, DeadLetterSummary } from '../../src/ports/service.ts';
import { type ForeignRecord, murmur2, type ReadRecord, readWithKcat, sendWithKcat } from '../support/kcat.ts';
import { runPython } from '../support/python.ts';
import { TopicProgram } from '../support/topic-program.ts';

const partitions = 8;
const home = (session: string): number => partitionOf(session as SessionId, partitions);
const create = 'macp.session.create.v1';
const append = 'macp.log.append.v1';

/** The headers of a session's first command, with others in place of some; `undefined` leaves one out. */
function headers(session: string, changed: Readonly<Record<string, string | undefined>> = {}): [string, string][] {
  const all = {
    ce_specversion: '1.0',
    ce_id: `${session}/1/1`,
    ce_source: '//foreign/1',
    ce_subject: session,
    ce_macpepoch: '1',
    ce_macpsequence: '1',
    ce_type: create,
    ...changed,
  };
  return Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
}

/** A first command, keyed by its session. */
function record(session: string, changed: Readonly<Record<string, string | undefined>> = {}, value?: string) {
  return { key: session, headers: headers(session, changed), value };
}

interface Mistake {
  readonly code: string;
  readonly detail: RegExp;
  /** `open` where the session's number can be read, and waits. */
  readonly state?: 'open' | 'kept';
  readonly sent: ForeignRecord;
  readonly words?: readonly string[];
}

const elsewhere = (session: string): number => (home(session) + 1) % partitions;

/** By the session that the command is for. */
const mistakes: Readonly<Record<string, Mistake>> = {
  'no-source': {
    code: 'MISSING_ATTRIBUTE',
    detail: /^the attribute source is absent$/,
    sent: record('no-source', { ce_source: undefined }),
  },
  'empty-source': {
    code: 'INVALID_ATTRIBUTE',
    detail: /source/,
    sent: record('empty-source', { ce_source: '' }),
  },
  'twice-a-type': {
    code: 'REPEATED_ATTRIBUTE',
    detail: /^the attribute "type" stands more than once$/,
    state: 'open',
    sent: { key: 'twice-a-type', headers: [...headers('twice-a-type'), ['ce_type', create]] },
  },
  'leading-zero': {
    code: 'INVALID_SEQUENCE',
    detail: /^macpsequence "01" is not a decimal number .* without leading zeros$/,
    sent: record('leading-zero', { ce_id: 'leading-zero/1/01', ce_macpsequence: '01' }),
  },
  'epoch-of-words': {
    code: 'INVALID_EPOCH',
    detail: /^macpepoch "one" is not a decimal number/,
    sent: record('epoch-of-words', { ce_macpepoch: 'one' }),
  },
  'older-events': {
    code: 'UNSUPPORTED_SPEC_VERSION',
    detail: /"0.3"/,
    state: 'open',
    sent: record('older-events', { ce_specversion: '0.3' }),
  },
  'unknown-type': {
    code: 'UNKNOWN_TYPE',
    detail: /"macp.session.open.v1"/,
    state: 'open',
    sent: record('unknown-type', { ce_type: 'macp.session.open.v1' }),
  },
  'another-id': {
    code: 'INVALID_ATTRIBUTE',
    detail: /id/,
    state: 'open',
    sent: record('another-id', { ce_id: 'another-id/1/2' }),
  },
  'cut-json': {
    code: 'INVALID_DATA',
    detail: /^the data is not JSON: byte 5: expected a value, found the end/,
    state: 'open',
    sent: record('cut-json', { ce_type: append }, '{"a":'),
  },
  'no-entry': {
    code: 'INVALID_DATA',
    detail: /^the document lacks "message_id", /,
    state: 'open',
    sent: record('no-entry', { ce_type: append }, '{"a":1}'),
  },
  'no-key': {
    code: 'INVALID_EVENT',
    detail: /key/,
    state: 'open',
    // kcat sends nothing for an empty line without a key.
    sent: { ...record('no-key', { ce_type: append }, '{}'), key: undefined, partition: home('no-key') },
  },
  'no-key-elsewhere': {
    code: 'WRONG_PARTITION',
    detail: /: it has no key, and needs the session id as its key$/,
    sent: { ...record('no-key-elsewhere', {}, '{}'), key: undefined, partition: elsewhere('no-key-elsewhere') },
  },
  'key-of-another': {
    code: 'WRONG_PARTITION',
    detail: /: its key is not the session id$/,
    sent: { ...record('key-of-another'), key: 'order-17', partition: elsewhere('key-of-another') },
  },
  // librdkafka's own partitioner, CRC-32 of the key, puts this one into 4.
  'order-20': {
    code: 'WRONG_PARTITION',
    detail:
      /^the record lies in partition 4, and session "order-20" belongs to 3 of 8: partition by murmur2 of the key/,
    sent: record('order-20'),
    words: [],
  },
};

const batch = {
  key: 'whole-batch',
  headers: [['content-type', 'application/cloudevents-batch+json']] as const,
  value: JSON.stringify([{ specversion: '1.0', id: 'whole-batch/1/1', source: '//foreign/1' }]),
};

const structured = {
  specversion: '1.0',
  id: 'structured/1/1',
  source: '//foreign/1',
  type: create,
  subject: 'structured',
  macpsequence: 1,
  macpepoch: 1,
};

/** Sends what kcat cannot: an oversized value, a header that is no text, and several records that gzip makes small. */
const python = `
import sys
from confluent_kafka import Producer

brokers, topic, bombed = sys.argv[1], sys.argv[2], int(sys.argv[3])
common = {"bootstrap.servers": brokers, "partitioner": "murmur2_random"}

def headers(session, **changed):
    return {"ce_specversion": "1.0", "ce_id": f"{session}/1/1", "ce_source": "//foreign/1", "ce_subject": session,
            "ce_macpepoch": "1", "ce_macpsequence": "1", "ce_type": "macp.log.append.v1", **changed}

def must(error, record):
    if error: sys.exit(str(error))

plain = Producer({**common, "message.max.bytes": 20_000_000})
plain.produce(topic, key="oversized", value=b'"' + b"x" * (16 * 1024 * 1024) + b'"', headers=headers("oversized"), on_delivery=must)
plain.produce(topic, key="latin", value=b"{}", headers=headers("latin", ce_source=b"//caf\\xe9"), on_delivery=must)
plain.flush()
bomb = Producer({**common, "compression.type": "gzip", "linger.ms": 5000, "batch.size": 200_000_000, "message.max.bytes": 200_000_000})
for number in range(5):
    bomb.produce(topic, key="bomb", value=bytes(14 * 1024 * 1024), partition=bombed, on_delivery=must)
bomb.flush()
`;

const bombed = home('bomb');
const others: Readonly<Record<string, Pick<Mistake, 'code' | 'detail' | 'state'>>> = {
  oversized: {
    code: 'DATA_TOO_LARGE',
    detail: /^the data has 16777218 bytes; at most 16777216 are allowed$/,
    state: 'open',
  },
  latin: { code: 'INVALID_WRITER', detail: /^source .* is no writer: it is not UTF-8$/ },
};

/** A session of each partition, whose command was sent after all mistakes. */
const behind = Array.from({ length: partitions }, (_, partition) => {
  const names = Array.from({ length: 1_000 }, (__, number) => `behind-${number}`);
  return names.find((name) => home(name) === partition) ?? '';
});

let program: TopicProgram;
let worked: object | undefined;
let letters: readonly DeadLetterSummary[];
let copies: readonly ReadRecord[];
/** The batch that cannot be read, as its dead letter holds it. */
let heldBatch: Buffer;

beforeAll(async () => {
  program = await TopicProgram.init(partitions);
  const { kafka, topic } = program;
  const send = (sent: ForeignRecord, words = murmur2): Promise<void> => sendWithKcat(kafka, topic, sent, words);
  await runPython(python, kafka, topic, `${bombed}`);
  for (const { sent, words = murmur2 } of Object.values(mistakes)) await send(sent, [...words]);
  await send(batch);
  const contentType = ['content-type', 'application/cloudevents+json; charset=UTF-8'] as const;
  await send({ key: 'structured', headers: [contentType], value: JSON.stringify(structured) });
  for (const session of behind) await send(record(session));
  [worked] = await program.json<object>(['worker', '--exit-when-caught-up', '--log-level', 'error']);
  letters = (await program.json<DeadLetterSummary>(['dead-letters', 'list'])).filter(({ id }) => id !== undefined);
  copies = await readWithKcat(kafka, `${topic}.dead-letters`);
  const { id = '' } = letters.find(({ code }) => code === 'UNREADABLE_BATCH') ?? {};
  const [whole] = await program.json<DeadLetterDetail>(['dead-letters', 'show', id]);
  heldBatch = Buffer.from(whole?.message.value_base64 ?? '', 'base64');
});
afterAll(() => program[Symbol.asyncDispose]());

const known = { ...mistakes, ...others };

describe('what foreign producers do wrong', () => {
  test('stops nothing: what is right is applied, behind everything that is wrong', async () => {
    const expected = behind.length + 1;
    const refused = Object.keys(known).length + 2;
    expect(worked).toMatchObject({ tally: { applied: expected, deadLetters: { refused } } });
    expect(letters).toHaveLength(refused);
    const { stdout } = await program.run(['sessions', 'list']);
    expect(stdout.split('\n').slice(0, -1).sort()).toEqual([...behind, 'structured'].sort());
  });

  test.each(Object.entries(known))('is told of: %s', (session, { code, detail, state = 'kept' }) => {
    const [letter, ...more] = letters.filter(({ session_id: id }) => id === session);
    expect(letter).toMatchObject({ reason: 'refused', code, detail: expect.stringMatching(detail), state });
    expect(more).toEqual([]);
  });

  test('is told of without a session where none can be read: several events in one record', () => {
    expect(letters.filter(({ code }) => code === 'UNSUPPORTED_CONTENT_MODE')).toMatchObject([
      { session_id: null, state: 'kept', detail: expect.stringContaining('application/cloudevents-batch+json') },
    ]);
  });

  test('is one dead letter where gzip would expand beyond every bound, by its offsets, the batch in it as it came', () => {
    const [letter, ...more] = letters.filter(({ code }) => code === 'UNREADABLE_BATCH');
    expect(more).toEqual([]);
    expect(letter).toMatchObject({
      session_id: null,
      state: 'kept',
      position: { partition: bombed },
      detail: expect.stringMatching(
        `^offsets [0-9]+ to [0-9]+ of partition ${bombed} cannot be read: it is compressed with gzip, and it expands beyond 67108864 bytes$`,
      ),
    });
    const [, first, last] = /offsets ([0-9]+) to ([0-9]+)/.exec(letter?.detail ?? '') ?? [];
    expect([Number(last) - Number(first), letter?.position.offset]).toEqual([4, Number(last)]);
    // The base offset stands first (record batch, version 2).
    expect([heldBatch.readBigInt64BE(0), heldBatch.length < 1_000_000]).toEqual([BigInt(first ?? -1), true]);
  });
});

/** The copy of a dead letter, by the header that names it. */
function copyOf({ id }: DeadLetterSummary): ReadRecord | undefined {
  return copies.find(({ headers: text }) => text.includes(`macp-dead-letter-id=${id},`));
}

describe('dead letters in a topic of their own', () => {
  test('are there once each, with their reasons behind the headers that they had', () => {
    expect(copies).toHaveLength(letters.length);
    for (const letter of letters) {
      const { id, reason, code, detail, position } = letter;
      const place = `${program.topic}-${position.partition}@${position.offset}`;
      const told = `macp-dead-letter-id=${id},macp-dead-letter-reason=${reason},macp-dead-letter-code=${code},macp-dead-letter-detail=${detail},macp-dead-letter-position=${place}`;
      expect(copyOf(letter)?.headers.endsWith(told), told).toBe(true);
    }
  });

  test.each(Object.entries(mistakes))(
    'have the key, the headers and the bytes that were sent: %s',
    (session, { sent }) => {
      const letter = letters.find(({ session_id: id }) => id === session);
      const copy = letter === undefined ? undefined : copyOf(letter);
      expect(copy?.key).toBe(sent.key);
      expect(copy?.value.toString()).toBe(sent.value ?? '');
      const own = sent.headers.map(([name, text]) => `${name}=${text},`).join('');
      expect(copy?.headers.startsWith(`${own}macp-dead-letter-id=`), copy?.headers).toBe(true);
    },
  );

  test('are whole however large they are, and where a batch cannot be read the batch itself', () => {
    const sizes = new Map(letters.map((letter) => [letter.session_id ?? letter.code, copyOf(letter)?.value.length]));
    expect(sizes.get('oversized')).toBe(16 * 1024 * 1024 + 2);
    const letter = letters.find(({ code }) => code === 'UNREADABLE_BATCH');
    expect(letter === undefined ? undefined : copyOf(letter)?.value).toEqual(heldBatch);
  });
});

describe('the topic for dead letters', () => {
  test('is not made or wanted where nobody wants copies, and has the name that is set', async () => {
    await using other = new TopicProgram();
    const quiet = { environment: { MACP_PERSIST_KAFKA_COPY_DEAD_LETTERS: 'false' } };
    const made = await other.run(['init', '--kafka-partitions', '1'], quiet);
    expect(made.stdout.match(/^made topic \S+/gm)).toHaveLength(2);
    await sendWithKcat(other.kafka, other.topic, record('no-source', { ce_source: undefined }));
    const work = ['worker', '--exit-when-caught-up', '--log-level', 'error'];
    expect(await other.run(work, quiet)).toMatchObject({ code: 0 });

    const alerts = `${other.topic}.alerts`;
    const loud = { environment: { MACP_PERSIST_KAFKA_DEAD_LETTER_TOPIC: alerts } };
    expect((await other.run(['init', '--kafka-partitions', '1'], loud)).stdout).toContain(`made topic ${alerts} `);
    const anew = ['--store', 'level:anew', '--kafka-group', `${other.topic}-anew`];
    expect(await other.run([...work, ...anew], loud)).toMatchObject({ code: 0 });
    expect(await readWithKcat(other.kafka, alerts)).toMatchObject([{ key: 'no-source', partition: 0, offset: 0 }]);
  });
});
