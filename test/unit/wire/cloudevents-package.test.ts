import { CloudEvent, type CloudEventV1, HTTP, Kafka } from 'cloudevents';
import { describe, expect, test } from 'vitest';
import type { Command } from '../../../src/domain/command.ts';
import { decodeBinary, encodeBinary } from '../../../src/domain/wire/binary.ts';
import { decodeEvent, encodeEvent } from '../../../src/domain/wire/structured.ts';
import { append, claim, create, numbered, replace, save, skip } from '../../support/commands.ts';
import { bytes, textOf, verdict } from './messages.ts';

const commands: readonly Command[] = [
  create(1),
  {
    ...append(2, 'm-2'),
    time: '2026-11-24T15:04:05.123Z',
    traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  },
  save(3, 'intent'),
  replace(4, ['a', 'b']),
  numbered('macp.receipt.store.v1', 5, '\u0000\u0001 no JSON'),
  numbered('macp.anchor.store.v1', 6, '{"anchor":1}'),
  numbered('macp.session.delete.v1', 7, ''),
  claim(2, '//test/two'),
  skip(8, 2, '0b9f6c1a-52d4-4c1e-9a77-1d2f3e4a5b6c'),
];

function agree(event: CloudEventV1<unknown>, command: Command): void {
  expect(event.specversion).toBe('1.0');
  expect(event.id).toBe(command.id);
  expect(event.type).toBe(command.type);
  expect(event.subject).toBe(command.session);
  expect(event.source).toBe(command.kind === 'skip' ? command.source : command.writer);
  expect(event['macpsequence']).toBe(command.kind === 'numbered' ? String(command.sequence) : undefined);
  expect(event['macpepoch']).toBe(command.kind === 'skip' ? undefined : String(command.epoch));
  expect(event['traceparent']).toBe(command.traceparent);
  if (command.time !== undefined) expect(event.time).toBe(command.time);
}

/** The package's Kafka binding reads only string headers that it knows; its HTTP binding reads every extension. */
function asHttp(command: Command): { headers: Record<string, string>; body: string | Uint8Array } {
  const { headers, value } = encodeBinary(command);
  const fields = headers.map(([name, field]) => [name.replace('ce_', 'ce-'), textOf(field)] as const);
  return { headers: Object.fromEntries(fields), body: value };
}

describe('the official package reads what we write', () => {
  test.each(commands)('binary mode: $type', (command) => {
    const { headers, body } = asHttp(command);
    const json = headers['content-type'] === 'application/json';
    const event = HTTP.toEvent({ headers, body: json ? textOf(body as Uint8Array) : body }) as CloudEventV1<unknown>;
    agree(event, command);
    if (json) expect(event.data).toEqual(JSON.parse(textOf(body as Uint8Array)));
  });

  test.each(commands)('structured mode: $type', (command) => {
    const headers = { 'content-type': 'application/cloudevents+json' };
    const event = HTTP.toEvent({ headers, body: textOf(encodeEvent(command)) }) as CloudEventV1<unknown>;
    agree(event, command);
    if (command.kind === 'claim' || command.data.length === 0) return;
    const opaque = command.type === 'macp.receipt.store.v1' || command.type === 'macp.anchor.store.v1';
    const data = opaque ? event.data_base64 : event.data;
    expect(data).toEqual(opaque ? Buffer.from(command.data).toString('base64') : JSON.parse(textOf(command.data)));
  });
});

describe('we read what the official package writes', () => {
  test('structured mode, with its own order of attributes', () => {
    const event = new CloudEvent({
      id: 's1/1/2',
      source: '//w',
      type: 'macp.log.append.v1',
      subject: 's1',
      macpsequence: 2,
      macpepoch: '1',
      data: JSON.parse(textOf(append(2, 'm').data)),
    });
    expect(verdict(decodeEvent(bytes(event.toString())))).toEqual(['numbered', undefined]);
  });

  test('binary mode on Kafka', () => {
    const event = new CloudEvent({
      id: 's1/1/2',
      source: '//w',
      type: 'macp.log.append.v1',
      subject: 's1',
      macpsequence: '2',
      macpepoch: '1',
      datacontenttype: 'application/json',
      partitionkey: 's1',
      data: JSON.parse(textOf(append(2, 'm').data)),
    });
    const { key, headers, value } = Kafka.binary(event);
    const content = decodeBinary({
      key: bytes(String(key)),
      headers: Object.entries(headers).map(([name, field]) => [name, bytes(String(field))] as const),
      value: bytes(JSON.stringify(value)),
    });
    expect(verdict(content)).toEqual(['numbered', undefined]);
  });
});
