import { describe, expect, test } from 'vitest';
import { errorDefinitions } from '../../../src/domain/errors.ts';
import { encodeMessage, type Message } from '../../../src/domain/message.ts';
import { decodeBinary, encodeBinary } from '../../../src/domain/wire/binary.ts';
import { append, claim, create, skip } from '../../support/commands.ts';
import { bytes, comparable, verdict, withHeader } from './messages.ts';

const appended = encodeBinary(append(7, 'm-7'));
const claimed = encodeBinary(claim(3, '//test/three'));
const skipped = encodeBinary(skip(4, 2, '0b9f6c1a-52d4-4c1e-9a77-1d2f3e4a5b6c'));
const notUtf8 = new Uint8Array([0xc3, 0x28]);
const again = (message: Message, name: string): Message => ({
  ...message,
  headers: [...message.headers, ...message.headers.filter(([header]) => header === name)],
});

type Row = readonly [what: string, message: Message, kind: string, code: string, named: string];

const rows: readonly Row[] = [
  [
    'another specversion',
    withHeader(appended, 'ce_specversion', '0.3'),
    'numbered',
    'UNSUPPORTED_SPEC_VERSION',
    '"0.3"',
  ],
  ['no specversion', withHeader(appended, 'ce_specversion', undefined), 'numbered', 'MISSING_ATTRIBUTE', 'specversion'],
  ['no type', withHeader(appended, 'ce_type', undefined), 'numbered', 'MISSING_ATTRIBUTE', 'type'],
  ['an unknown type', withHeader(appended, 'ce_type', 'macp.log.append.v2'), 'numbered', 'UNKNOWN_TYPE', 'append.v2"'],
  ['a type that is not UTF-8', withHeader(appended, 'ce_type', notUtf8), 'numbered', 'UNKNOWN_TYPE', 'type'],
  ['a repeated type', again(appended, 'ce_type'), 'numbered', 'REPEATED_ATTRIBUTE', 'type'],
  ['no id', withHeader(appended, 'ce_id', undefined), 'numbered', 'MISSING_ATTRIBUTE', 'id'],
  [
    'the id of another number',
    withHeader(appended, 'ce_id', 'a-session-of-the-tests-1/1/8'),
    'numbered',
    'INVALID_ATTRIBUTE',
    '1/1/8',
  ],
  [
    'an id that goes on',
    withHeader(appended, 'ce_id', 'a-session-of-the-tests-1/1/70'),
    'numbered',
    'INVALID_ATTRIBUTE',
    '/70',
  ],
  [
    'an id with other separators',
    withHeader(appended, 'ce_id', 'a-session-of-the-tests-1:1:7'),
    'numbered',
    'INVALID_ATTRIBUTE',
    ':1:7',
  ],
  ['no source', withHeader(appended, 'ce_source', undefined), 'unreadable', 'MISSING_ATTRIBUTE', 'source'],
  [
    'a source with a space',
    withHeader(appended, 'ce_source', 'my writer'),
    'unreadable',
    'INVALID_WRITER',
    'my writer',
  ],
  ['a source that is not UTF-8', withHeader(appended, 'ce_source', notUtf8), 'unreadable', 'INVALID_WRITER', 'source'],
  ['a long source', withHeader(appended, 'ce_source', 'w'.repeat(1025)), 'unreadable', 'INVALID_WRITER', '1025 in all'],
  ['no subject', withHeader(appended, 'ce_subject', undefined), 'unreadable', 'MISSING_ATTRIBUTE', 'subject'],
  ['a subject with a slash', withHeader(appended, 'ce_subject', '../x'), 'unreadable', 'INVALID_SESSION_ID', '../x'],
  [
    'a subject with a backslash',
    withHeader(appended, 'ce_subject', 'a\\b'),
    'unreadable',
    'INVALID_SESSION_ID',
    'subject',
  ],
  ['a subject with NUL', withHeader(appended, 'ce_subject', 'a\0bc'), 'unreadable', 'INVALID_SESSION_ID', 'subject'],
  ['two dots as the subject', withHeader(appended, 'ce_subject', '..'), 'unreadable', 'INVALID_SESSION_ID', '".."'],
  [
    'a subject of 256 bytes',
    withHeader(appended, 'ce_subject', 's'.repeat(256)),
    'unreadable',
    'INVALID_SESSION_ID',
    '256',
  ],
  [
    'a subject of 86 characters and 258 bytes',
    withHeader(appended, 'ce_subject', '€'.repeat(86)),
    'unreadable',
    'INVALID_SESSION_ID',
    '255',
  ],
  [
    'a subject that is not UTF-8',
    withHeader(appended, 'ce_subject', notUtf8),
    'unreadable',
    'INVALID_SESSION_ID',
    'UTF-8',
  ],
  ['a repeated subject', again(appended, 'ce_subject'), 'unreadable', 'REPEATED_ATTRIBUTE', 'subject'],
  [
    'no sequence',
    withHeader(appended, 'ce_macpsequence', undefined),
    'unreadable',
    'MISSING_ATTRIBUTE',
    'macpsequence',
  ],
  ['sequence 0', withHeader(appended, 'ce_macpsequence', '0'), 'unreadable', 'INVALID_SEQUENCE', '"0"'],
  ['a leading zero', withHeader(appended, 'ce_macpsequence', '07'), 'unreadable', 'INVALID_SEQUENCE', '"07"'],
  ['a sign', withHeader(appended, 'ce_macpsequence', '+7'), 'unreadable', 'INVALID_SEQUENCE', '"+7"'],
  ['a space', withHeader(appended, 'ce_macpsequence', '7 '), 'unreadable', 'INVALID_SEQUENCE', '"7 "'],
  ['an exponent', withHeader(appended, 'ce_macpsequence', '7e0'), 'unreadable', 'INVALID_SEQUENCE', '"7e0"'],
  [
    'sequence 2^53',
    withHeader(appended, 'ce_macpsequence', '9007199254740992'),
    'unreadable',
    'INVALID_SEQUENCE',
    '740992',
  ],
  [
    'a sequence of 17 digits',
    withHeader(appended, 'ce_macpsequence', '1'.repeat(17)),
    'unreadable',
    'INVALID_SEQUENCE',
    '1111',
  ],
  ['an empty sequence', withHeader(appended, 'ce_macpsequence', ''), 'unreadable', 'INVALID_ATTRIBUTE', 'macpsequence'],
  ['a repeated sequence', again(appended, 'ce_macpsequence'), 'unreadable', 'REPEATED_ATTRIBUTE', 'macpsequence'],
  ['no epoch', withHeader(appended, 'ce_macpepoch', undefined), 'unreadable', 'MISSING_ATTRIBUTE', 'macpepoch'],
  ['epoch 0', withHeader(appended, 'ce_macpepoch', '0'), 'unreadable', 'INVALID_EPOCH', '"0"'],
  [
    'a time that is none',
    withHeader(appended, 'ce_time', '2026-02-29T00:00:00Z'),
    'numbered',
    'INVALID_ATTRIBUTE',
    '2026-02-29',
  ],
  ['an empty time', withHeader(appended, 'ce_time', ''), 'numbered', 'INVALID_ATTRIBUTE', 'time'],
  [
    'a traceparent that is not UTF-8',
    withHeader(appended, 'traceparent', notUtf8),
    'numbered',
    'INVALID_ATTRIBUTE',
    'traceparent',
  ],
  ['XML', withHeader(appended, 'content-type', 'application/xml'), 'numbered', 'INVALID_ATTRIBUTE', 'application/xml'],
  ['a repeated content type', again(appended, 'content-type'), 'numbered', 'REPEATED_ATTRIBUTE', 'content-type'],
  ['an empty extension', withHeader(appended, 'ce_shard', ''), 'numbered', 'INVALID_ATTRIBUTE', 'ce_shard'],
  [
    'an extension that is not UTF-8',
    withHeader(appended, 'ce_shard', notUtf8),
    'numbered',
    'INVALID_ATTRIBUTE',
    'ce_shard',
  ],
  [
    'a repeated extension',
    again(withHeader(appended, 'ce_shard', '1'), 'ce_shard'),
    'numbered',
    'REPEATED_ATTRIBUTE',
    'ce_shard',
  ],
  ['no key', { ...appended, key: undefined }, 'numbered', 'INVALID_EVENT', 'key'],
  ['an empty key', { ...appended, key: bytes('') }, 'numbered', 'INVALID_EVENT', 'key'],
  ["another session's key", { ...appended, key: bytes('s-2') }, 'numbered', 'INVALID_EVENT', '"s-2"'],
  ['no data', { ...appended, value: bytes('') }, 'numbered', 'INVALID_DATA', 'missing'],
  [
    'data that is no entry',
    { ...appended, value: bytes('{"message_id":1}') },
    'numbered',
    'INVALID_DATA',
    'message_id',
  ],
  [
    'too much data',
    { ...appended, value: Buffer.alloc(16 * 1024 * 1024 + 1, ' ') },
    'numbered',
    'DATA_TOO_LARGE',
    '16777217',
  ],
  [
    'a batch',
    withHeader(appended, 'content-type', 'application/cloudevents-batch+json'),
    'unreadable',
    'UNSUPPORTED_CONTENT_MODE',
    'batch',
  ],
  [
    'a batch in capitals',
    withHeader(appended, 'content-type', 'Application/CloudEvents-Batch+JSON; charset=UTF-8'),
    'unreadable',
    'UNSUPPORTED_CONTENT_MODE',
    'batch',
  ],
  [
    'Avro',
    withHeader(appended, 'content-type', 'application/cloudevents+avro'),
    'unreadable',
    'UNSUPPORTED_CONTENT_MODE',
    'avro',
  ],
  [
    'nothing at all',
    { key: undefined, headers: [], value: bytes('') },
    'unreadable',
    'MISSING_ATTRIBUTE',
    'specversion',
  ],
  [
    'a claim with a sequence',
    withHeader(claimed, 'ce_macpsequence', '1'),
    'unreadable',
    'INVALID_ATTRIBUTE',
    'macpsequence',
  ],
  [
    'a claim without an epoch',
    withHeader(claimed, 'ce_macpepoch', undefined),
    'unreadable',
    'MISSING_ATTRIBUTE',
    'macpepoch',
  ],
  [
    "a claim with a number's id",
    withHeader(claimed, 'ce_id', 'a-session-of-the-tests-1/3/1'),
    'unreadable',
    'INVALID_ATTRIBUTE',
    '/3/1',
  ],
  ['a claim with data', { ...claimed, value: bytes('{}') }, 'unreadable', 'INVALID_DATA', 'claim'],
  ['a claim without a key', { ...claimed, key: undefined }, 'unreadable', 'INVALID_EVENT', 'key'],
  ['a claim with a bad time', withHeader(claimed, 'ce_time', 'now'), 'unreadable', 'INVALID_ATTRIBUTE', '"now"'],
  ['a skip whose id is no UUID', withHeader(skipped, 'ce_id', 'skip-1'), 'unreadable', 'INVALID_ATTRIBUTE', 'skip-1'],
  ['a skip without an id', withHeader(skipped, 'ce_id', undefined), 'unreadable', 'MISSING_ATTRIBUTE', 'id'],
  [
    'a skip with a sequence',
    withHeader(skipped, 'ce_macpsequence', '4'),
    'unreadable',
    'INVALID_ATTRIBUTE',
    'macpsequence',
  ],
  ['a skip with an epoch', withHeader(skipped, 'ce_macpepoch', '2'), 'unreadable', 'INVALID_ATTRIBUTE', 'macpepoch'],
  ['a skip without data', { ...skipped, value: bytes('') }, 'unreadable', 'INVALID_DATA', 'missing'],
  [
    'a skip that is no decision',
    { ...skipped, value: bytes('{"sequence":"4"}') },
    'unreadable',
    'INVALID_DATA',
    'sequence',
  ],
  [
    'a skip that is no JSON',
    withHeader(skipped, 'content-type', 'text/plain'),
    'unreadable',
    'INVALID_ATTRIBUTE',
    'text/plain',
  ],
];

describe('a message that is not a valid command is refused, precisely', () => {
  test.each(rows)('%s', (_what, message, kind, code, named) => {
    const content = decodeBinary(message);
    expect(verdict(content)).toEqual([kind, code]);
    expect('refusal' in content && content.refusal?.message).toContain(named);
  });

  test('every code that the documents promise for a single command occurs here', () => {
    const promised = Object.keys(errorDefinitions).slice(0, Object.keys(errorDefinitions).indexOf('WRONG_PARTITION'));
    expect([...new Set(rows.map(([, , , code]) => code))].sort()).toEqual(promised.sort());
  });

  test('a refusal never repeats megabytes', () => {
    const large = 'x'.repeat(2_000_000);
    for (const name of ['ce_type', 'ce_id', 'ce_source', 'ce_subject', 'ce_macpsequence', 'ce_time', 'content-type']) {
      const content = decodeBinary(withHeader(appended, name, large));
      expect('refusal' in content && content.refusal?.message.length).toBeLessThan(400);
    }
    const named = decodeBinary(withHeader(appended, `ce_${large}`, ''));
    expect('refusal' in named && named.refusal?.message.length).toBeLessThan(400);
  });

  test('one unreadable message is told from another by any of its bytes', () => {
    const digest = (message: Message): string | undefined => {
      const content = decodeBinary(message);
      return content.kind === 'unreadable' ? content.digest : undefined;
    };
    const one = withHeader(appended, 'ce_macpsequence', undefined);
    const digests = [one, { ...one, value: bytes('') }, { ...one, key: undefined }, withHeader(one, 'x', '1')].map(
      digest,
    );
    expect(digests).not.toContain(undefined);
    expect(new Set(digests).size).toBe(4);
  });

  test('an unreadable message is filed under its session when that can be read', () => {
    expect(decodeBinary(withHeader(appended, 'ce_macpepoch', 'x'))).toMatchObject({
      session: 'a-session-of-the-tests-1',
    });
    expect(decodeBinary(withHeader(claimed, 'ce_macpsequence', '1'))).toMatchObject({
      session: 'a-session-of-the-tests-1',
    });
    expect(decodeBinary(withHeader(skipped, 'ce_id', 'x'))).toMatchObject({ session: 'a-session-of-the-tests-1' });
  });

  test('a message of 70,000 headers is kept whole like any other', () => {
    const headers = Array.from({ length: 70_000 }, (_, index) => [`ce_x${index}`, bytes('1')] as const);
    const message = { ...appended, headers: [...withHeader(appended, 'ce_macpepoch', undefined).headers, ...headers] };
    expect(verdict(decodeBinary(message))).toEqual(['unreadable', 'MISSING_ATTRIBUTE']);
    expect(encodeMessage(message).length).toBeGreaterThan(70_000 * 10);
  });
});

describe('what is allowed stays allowed', () => {
  test.each([
    ['a content type with parameters', withHeader(appended, 'content-type', 'Application/JSON; charset=utf-8')],
    ['no content type', withHeader(appended, 'content-type', undefined)],
    [
      'the attribute and the header of a trace',
      withHeader(withHeader(appended, 'ce_traceparent', '00-a'), 'traceparent', '00-b'),
    ],
    [
      'unknown extensions',
      withHeader(withHeader(appended, 'ce_partitionkey', 'k'), 'ce_datacontenttype', 'text/plain'),
    ],
    ['dataschema', withHeader(appended, 'ce_dataschema', 'https://example.org/schema')],
    [
      'headers of other software, whatever they hold',
      { ...appended, headers: [...appended.headers, ['x', notUtf8], ['x', bytes('')]] as const },
    ],
    ['the largest numbers', numberedAs('9007199254740991', '9007199254740991')],
    ['a time with an offset', withHeader(appended, 'ce_time', '2024-02-29T23:59:60.123456789+05:30')],
    [
      'white space in the data',
      { ...appended, value: bytes(`\n ${Buffer.from(appended.value).toString('utf8')}\r\n`) },
    ],
    [
      'a type without data that names a content type',
      withHeader(encodeBinary(create(7)), 'content-type', 'text/plain'),
    ],
  ] satisfies readonly (readonly [string, Message])[])('%s', (_what, message) => {
    expect(verdict(decodeBinary(message))).toEqual(['numbered', undefined]);
  });

  test('ids of every kind that upstream allows', () => {
    for (const session of [
      'a',
      '...',
      ' ',
      '-',
      'ä€😀',
      's'.repeat(255),
      '\u{1f600}'.repeat(63),
      'a b\tc',
      '%2f',
      '\u007f',
    ]) {
      expect(verdict(decodeBinary(encodeBinary(append(1, 'm', { session }))))).toEqual(['numbered', undefined]);
    }
  });

  test('white space between tokens changes neither data nor digest', () => {
    const spaced = { ...appended, value: bytes(` ${Buffer.from(appended.value).toString('utf8')} \n`) };
    expect(comparable(decodeBinary(spaced))).toEqual(comparable(decodeBinary(appended)));
  });
});

function numberedAs(sequence: string, epoch: string): Message {
  const message = withHeader(withHeader(appended, 'ce_macpsequence', sequence), 'ce_macpepoch', epoch);
  return withHeader(message, 'ce_id', `a-session-of-the-tests-1/${epoch}/${sequence}`);
}
