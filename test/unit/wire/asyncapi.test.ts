import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { claimType, numberedTypes, skipType, wireLimits } from '../../../src/domain/command.ts';
import { errorDefinitions } from '../../../src/domain/errors.ts';
import type { Message } from '../../../src/domain/message.ts';
import {
  batchMediaType,
  decodeBinary,
  encodeBinary,
  structuredMediaType,
  traceHeader,
} from '../../../src/domain/wire/binary.ts';
import { contentOf } from '../../../src/domain/wire/content.ts';
import { append, claim, create, numbered, replace, save, skip } from '../../support/commands.ts';
import { bytes, commandOf, textOf, verdict } from './messages.ts';
import { schemaValidator, wireDocument } from './schemas.ts';

type Part = Record<string, unknown>;
interface Example {
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload?: unknown;
}
interface DescribedMessage {
  readonly name: string;
  readonly headers: Part;
  readonly payload: Part;
  readonly bindings: { readonly kafka: { readonly key: { readonly $ref: string } } };
  readonly examples: readonly Example[];
}

const asyncapi = parse(wireDocument('asyncapi.yaml')) as {
  readonly asyncapi: string;
  readonly channels: { readonly commands: { readonly messages: Part; readonly 'x-limits': Part } };
  readonly components: { readonly messages: Record<string, DescribedMessage>; readonly schemas: Record<string, Part> };
};
const messages = Object.entries(asyncapi.components.messages);
const validator = schemaValidator().addVocabulary(['x-value', 'components']);
validator.addSchema({ components: { schemas: asyncapi.components.schemas } }, 'asyncapi.yaml');

/** A schema of the document, its references made to find the document from outside. */
function validatorFor(schema: Part): (value: unknown) => boolean {
  const text = JSON.stringify(schema).replaceAll('"$ref":"#/', '"$ref":"asyncapi.yaml#/');
  return (value) => validator.validate(JSON.parse(text) as object, value);
}

/** What a producer sends that has read the document and nothing else: headers, value, and the key where it says to. */
function built({ bindings }: DescribedMessage, headers: Readonly<Record<string, string>>, payload: unknown): Message {
  const key = asyncapi.components.schemas[bindings.kafka.key.$ref.replace('#/components/schemas/', '')] ?? {};
  const source = String(key['x-value']).replace('$message.header#/', '');
  const value = payload === undefined ? '' : typeof payload === 'string' ? payload : JSON.stringify(payload);
  return {
    key: bytes(headers[source] ?? ''),
    headers: Object.entries(headers).map(([name, text]) => [name, bytes(text)] as const),
    value: bytes(value),
  };
}

describe('the AsyncAPI document', () => {
  test('is of version 3 and lists every command type once', () => {
    expect(asyncapi.asyncapi).toBe('3.0.0');
    expect(messages.map(([, message]) => message.name)).toEqual([...numberedTypes, claimType, skipType]);
    const channel = Object.entries(asyncapi.channels.commands.messages);
    expect(channel).toEqual(messages.map(([key]) => [key, { $ref: `#/components/messages/${key}` }]));
  });

  test('states the limits that the code has', () => {
    expect(asyncapi.channels.commands['x-limits']).toEqual(wireLimits);
  });

  test('names the headers that the code writes and reads, and no other', () => {
    const trace = { time: '2026-11-24T15:04:05Z', traceparent: '00-a' };
    const commands = [
      { ...append(2, 'm'), ...trace },
      { ...claim(2, '//w'), ...trace },
    ];
    const written = new Set(commands.flatMap((command) => encodeBinary(command).headers.map(([name]) => name)));
    const described = new Set<string>();
    JSON.stringify(asyncapi.components.schemas, (key, value: unknown) => {
      if (key === 'properties') for (const name of Object.keys(value as object)) described.add(name);
      return value;
    });
    expect([...described].sort()).toEqual([...written, traceHeader, 'ce_dataschema'].sort());
  });

  const examples = messages.flatMap(([key, message]) =>
    message.examples.map((example) => [key, message, example] as const),
  );

  test.each(examples)('its example of %s is a valid command and fits its own schemas', (_key, message, example) => {
    expect(validatorFor(message.headers)(example.headers)).toBe(true);
    if (example.payload !== undefined) expect(validatorFor(message.payload)(example.payload)).toBe(true);
    const command = commandOf(decodeBinary(built(message, example.headers, example.payload)));
    expect(command.type).toBe(message.name);
    expect(verdict(contentOf(command))[0]).toBe(command.kind);
  });

  test('has an example of every message', () => {
    expect(new Set(examples.map(([key]) => key)).size).toBe(messages.length);
  });

  const own = [
    create(1),
    append(2, 'm'),
    save(3, 'i'),
    replace(4, ['a']),
    numbered('macp.session.delete.v1', 5, ''),
    numbered('macp.receipt.store.v1', 6, 'r'),
    numbered('macp.anchor.store.v1', 7, 'a'),
    claim(2, '//w'),
    skip(8, 2, '0b9f6c1a-52d4-4c1e-9a77-1d2f3e4a5b6c'),
  ];

  test.each(own)('describes what we write: $type', (command) => {
    const message = messages.find(([, { name }]) => name === command.type)?.[1];
    const headers = Object.fromEntries(encodeBinary(command).headers.map(([name, value]) => [name, textOf(value)]));
    expect(message && validatorFor(message.headers)(headers)).toBe(true);
    for (const name of Object.keys(headers)) {
      // What our own encoder must write, the document must demand; the content type may be left out.
      const { [name]: _left, ...others } = headers;
      expect(message && validatorFor(message.headers)(others)).toBe(name === 'content-type');
    }
  });
});

describe('a command built by hand from the document alone', () => {
  const fill: Readonly<Record<string, (headers: Readonly<Record<string, string>>) => string>> = {
    ce_source: () => '//foreign.example/producer-1',
    ce_subject: () => 'a-session-made-by-hand-01',
    ce_macpsequence: () => '12',
    ce_macpepoch: () => '3',
  };

  /** Every const and required name of a headers schema, references followed. */
  function demanded(schema: Part): { constants: Record<string, string>; required: string[]; id: string } {
    const found = { constants: {} as Record<string, string>, required: [] as string[], id: '' };
    const visit = (part: Part): void => {
      const reference = part['$ref'];
      if (typeof reference === 'string')
        visit(asyncapi.components.schemas[reference.replace('#/components/schemas/', '')] ?? {});
      for (const one of (part['allOf'] as Part[] | undefined) ?? []) visit(one);
      found.required.push(...((part['required'] as string[] | undefined) ?? []));
      for (const [name, property] of Object.entries((part['properties'] as Record<string, Part> | undefined) ?? {})) {
        if (typeof property['const'] === 'string') found.constants[name] = property['const'];
        if (name === 'ce_id' && typeof property['pattern'] === 'string') found.id = property['pattern'];
      }
    };
    visit(schema);
    return found;
  }

  test.each(messages)('is accepted: %s', (_key, message) => {
    const { constants, required, id } = demanded(message.headers);
    const headers: Record<string, string> = { ...constants };
    for (const name of required) headers[name] ??= fill[name]?.(headers) ?? '';
    const last = id.includes('claim') ? 'claim' : headers['ce_macpsequence'];
    headers['ce_id'] =
      id === ''
        ? '0b9f6c1a-52d4-4c1e-9a77-1d2f3e4a5b6c'
        : `${headers['ce_subject']}/${headers['ce_macpepoch']}/${last}`;
    const [example] = message.examples;
    const payload = JSON.parse(
      JSON.stringify(example?.payload ?? null).replaceAll(
        example?.headers['ce_subject'] ?? '',
        'a-session-made-by-hand-01',
      ),
    ) as unknown;
    const content = decodeBinary(built(message, headers, payload ?? undefined));
    expect(commandOf(content)).toMatchObject({ type: message.name, session: 'a-session-made-by-hand-01' });
  });
});

describe('the page for foreign producers', () => {
  const page = wireDocument('README.md');

  test('names every type, header, limit and content mode', () => {
    for (const type of [...numberedTypes, claimType, skipType])
      expect(page).toMatch(new RegExp(`^\\| \`${type}\` +\\|`, 'm'));
    for (const [name] of encodeBinary(append(1, 'm')).headers)
      expect(page).toMatch(new RegExp(`^\\| \`${name}\` +\\|`, 'm'));
    for (const word of [
      structuredMediaType,
      batchMediaType,
      traceHeader,
      'murmur2_random',
      '16 MiB',
      '10,000',
      '64 MiB',
    ]) {
      expect(page).toContain(word);
    }
  });

  test('explains every refusal', () => {
    const codes = Object.keys(errorDefinitions);
    const refusals = codes.slice(0, codes.indexOf('WRONG_PARTITION') + 1);
    const table = page.slice(page.indexOf('## What is refused'));
    expect([...table.matchAll(/`([A-Z]+(?:_[A-Z]+)+)`/g)].map(([, code]) => code).sort()).toEqual(refusals.sort());
  });

  test('shows an event that is a valid command', () => {
    const [, shown = ''] = /```ndjson\n(.*)\n```/.exec(page) ?? [];
    const headers = [['content-type', bytes(structuredMediaType)]] as const;
    expect(verdict(decodeBinary({ key: bytes('s1'), headers, value: bytes(shown) }))).toEqual(['numbered', undefined]);
  });
});
