import { describe, expect, test } from 'vitest';
import type { Content } from '../../../src/domain/delivery.ts';
import { decodeBinary } from '../../../src/domain/wire/binary.ts';
import { decodeEvent, encodeEvent, messageOfEvent } from '../../../src/domain/wire/structured.ts';
import { append, claim, create, numbered, skip } from '../../support/commands.ts';
import { bytes, commandOf, comparable, textOf, verdict } from './messages.ts';

const start = '{"specversion":"1.0","id":"s1/1/2","source":"//w","subject":"s1","macpsequence":"2","macpepoch":"1"';
const receipt = (members: string): string => `${start},"type":"macp.receipt.store.v1"${members}}`;
const created = (members: string): string => `${start},"type":"macp.session.create.v1"${members}}`;
const decode = (text: string): Content => decodeEvent(bytes(text));
const dataOf = (content: Content): string => ('data' in content ? textOf(content.data) : '');

describe('the data of a structured event', () => {
  test('is the very text of its JSON value', () => {
    for (const value of ['0.0', '-0', '1E+2', '9007199254740993', '"\\u0061\\/"', '{"b":1,"a":[ 1 ]}', 'null', '""']) {
      expect(dataOf(decode(receipt(`,"data": ${value} `)))).toBe(value);
    }
  });

  test('is any bytes when it is base64', () => {
    expect(dataOf(decode(receipt(',"data_base64":"AAH\\/"')))).toBe(textOf(new Uint8Array([0, 1, 255])));
    expect(dataOf(decode(receipt(',"data_base64":""')))).toBe('');
  });

  test.each([
    ['both kinds of data', ',"data":1,"data_base64":"AA=="', 'INVALID_EVENT'],
    ['data null and base64', ',"data":null,"data_base64":"AA=="', 'INVALID_EVENT'],
    ['data twice', ',"data":1,"data":1', 'REPEATED_ATTRIBUTE'],
    ['base64 twice', ',"data_base64":"","data_base64":""', 'REPEATED_ATTRIBUTE'],
    ['base64 that is a number', ',"data_base64":1', 'INVALID_ATTRIBUTE'],
    ['base64 without padding', ',"data_base64":"AA"', 'INVALID_ATTRIBUTE'],
    ['base64 of the other alphabet', ',"data_base64":"-_-_"', 'INVALID_ATTRIBUTE'],
    ['base64 with a line break', ',"data_base64":"AAAA\\n"', 'INVALID_ATTRIBUTE'],
    ['base64 with stray bits', ',"data_base64":"AB=="', 'INVALID_ATTRIBUTE'],
    ['text that says it is no JSON', ',"datacontenttype":"text/plain","data":"x"', 'INVALID_EVENT'],
  ])('%s is refused', (_what, members, code) => {
    expect(verdict(decode(receipt(members)))).toEqual(['numbered', code]);
  });

  test('null is a value, not an absent one', () => {
    expect(verdict(decode(created('')))).toEqual(['numbered', undefined]);
    expect(verdict(decode(created(',"data":null')))).toEqual(['numbered', 'INVALID_DATA']);
    expect(verdict(decode(created(',"data_base64":null')))).toEqual(['numbered', undefined]);
  });

  test('keeps no line break when it is written as one line', () => {
    const pretty = {
      ...append(3, 'm'),
      data: bytes(JSON.stringify(JSON.parse(textOf(append(3, 'm').data)), undefined, 2)),
    };
    expect(textOf(encodeEvent(pretty))).toBe(textOf(encodeEvent(append(3, 'm'))));
  });

  test('is written as base64 when it is not the JSON it should be, so that the line stays an event', () => {
    const broken = numbered('macp.log.append.v1', 1, '{"message_id":"\n');
    const content = decodeEvent(encodeEvent(broken));
    expect(verdict(content)).toEqual(['numbered', 'INVALID_DATA']);
    expect(dataOf(content)).toBe('{"message_id":"\n');
  });
});

describe('the attributes of a structured event', () => {
  test('numbers are strings or numbers', () => {
    const text = created('').replace('"2"', '2').replace('"1",', '1,');
    expect(comparable(decode(text))).toEqual(comparable(decode(created(''))));
  });

  test('null is absent', () => {
    expect(verdict(decode(created(',"time":null,"dataschema":null,"x":null')))).toEqual(['numbered', undefined]);
    expect(verdict(decode(created('').replace('"s1"', 'null')))).toEqual(['unreadable', 'MISSING_ATTRIBUTE']);
  });

  test('escapes in names and values mean what they say', () => {
    const escaped = created('').replace('"subject":"s1"', '"\\u0073ubject":"\\u00731"').replace('s1/1/2', 's1\\/1\\/2');
    expect(comparable(decode(escaped))).toEqual(comparable(decode(created(''))));
    expect(verdict(decode(created(',"\\u0074ime":null,"subject":"s1"')))).toEqual(['unreadable', 'REPEATED_ATTRIBUTE']);
  });

  test.each([
    ['a fraction', '"macpsequence":"2"', '"macpsequence":2.0', 'unreadable', 'INVALID_SEQUENCE'],
    ['an exponent', '"macpsequence":"2"', '"macpsequence":2e0', 'unreadable', 'INVALID_SEQUENCE'],
    ['a negative number', '"macpepoch":"1"', '"macpepoch":-1', 'unreadable', 'INVALID_EPOCH'],
    ['a boolean', '"macpepoch":"1"', '"macpepoch":true', 'unreadable', 'INVALID_ATTRIBUTE'],
    ['a version that is a number', '"1.0"', '1.0', 'numbered', 'INVALID_ATTRIBUTE'],
    ['an id that is an object', '"s1/1/2"', '{}', 'numbered', 'INVALID_ATTRIBUTE'],
    ['a lone surrogate', '"s1"', '"\\ud800"', 'unreadable', 'INVALID_ATTRIBUTE'],
    ['an extension that is an array', '"1.0"', '"1.0","x":[]', 'numbered', 'INVALID_ATTRIBUTE'],
    ['an empty extension', '"1.0"', '"1.0","x":""', 'numbered', 'INVALID_ATTRIBUTE'],
    ['a repeated extension', '"1.0"', '"1.0","x":1,"x":1', 'numbered', 'REPEATED_ATTRIBUTE'],
    ['an empty subject', '"s1"', '""', 'unreadable', 'INVALID_ATTRIBUTE'],
  ])('%s is refused', (_what, from, to, kind, code) => {
    expect(verdict(decode(created('').replace(from, to)))).toEqual([kind, code]);
  });
});

describe('a text that is no event', () => {
  test.each([
    '',
    ' ',
    'x',
    '[]',
    '"event"',
    '{',
    '{"a":1,}',
    '{"a" 1}',
    '{}x',
    '{"a":1 "b":2}',
    '\ufeff{}',
    '{"a":"\n"}',
  ])('%j is unreadable', (text) => {
    expect(verdict(decode(text))).toEqual(['unreadable', 'INVALID_EVENT']);
  });

  test('bytes that are not UTF-8 are unreadable wherever they stand', () => {
    const text = Buffer.from(receipt(',"data":"?"'));
    text[text.indexOf('?')] = 0xff;
    expect(verdict(decodeEvent(text))).toEqual(['unreadable', 'INVALID_EVENT']);
  });

  test('an object that is no event lacks its attributes', () => {
    expect(verdict(decode('{}'))).toEqual(['unreadable', 'MISSING_ATTRIBUTE']);
  });
});

describe('a message in structured mode', () => {
  const commands = [create(1), append(2, 'm'), claim(3, '//w'), skip(4, 2, '0b9f6c1a-52d4-4c1e-9a77-1d2f3e4a5b6c')];

  test.each(commands)('says what the event says: $type', (command) => {
    const message = messageOfEvent(encodeEvent(command));
    expect(comparable(commandOf(decodeBinary(message)))).toEqual(comparable(command));
  });

  test('needs the session id as its key', () => {
    const message = messageOfEvent(encodeEvent(create(1)));
    expect(verdict(decodeBinary({ ...message, key: undefined }))).toEqual(['numbered', 'INVALID_EVENT']);
    expect(verdict(decodeBinary({ ...message, key: bytes('s-2') }))).toEqual(['numbered', 'INVALID_EVENT']);
  });

  test('may repeat its attributes as headers, which do not count', () => {
    const message = messageOfEvent(encodeEvent(create(1)));
    const headers = [...message.headers, ['ce_subject', bytes('s-2')], ['traceparent', bytes('00-a')]] as const;
    expect(comparable(decodeBinary({ ...message, headers }))).toEqual(comparable(decodeBinary(message)));
    const claimed = messageOfEvent(encodeEvent(claim(2, '//w')));
    expect(decodeBinary({ ...claimed, headers: [...claimed.headers, ['traceparent', bytes('00-a')]] })).toMatchObject({
      kind: 'claim',
      traceparent: '00-a',
    });
  });

  test('is refused when its headers are malformed', () => {
    const message = messageOfEvent(encodeEvent(create(1)));
    const headers = [...message.headers, ['ce_x', bytes('')]] as const;
    expect(verdict(decodeBinary({ ...message, headers }))).toEqual(['numbered', 'INVALID_ATTRIBUTE']);
    expect(verdict(decodeBinary({ ...message, headers, value: bytes('x') }))).toEqual([
      'unreadable',
      'INVALID_ATTRIBUTE',
    ]);
  });
});
