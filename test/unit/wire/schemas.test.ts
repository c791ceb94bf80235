import { describe, expect, test } from 'vitest';
import { claimType, numberedTypes, skipType } from '../../../src/domain/command.ts';
import { logEntry, persistedSession, skipDecision } from '../../../src/domain/documents/document-tables.ts';
import type { DocumentShape, Shape } from '../../../src/domain/documents/shape.ts';
import { numberingAttributes, optionalAttributes, requiredAttributes } from '../../../src/domain/wire/event.ts';
import { decodeEvent, encodeEvent } from '../../../src/domain/wire/structured.ts';
import { append, claim, create, numbered, replace, save, skip } from '../../support/commands.ts';
import { goldenFolders, goldenLines } from './golden.ts';
import { textOf } from './messages.ts';
import { validatorOf, wireSchemas } from './schemas.ts';

type Schema = Record<string, unknown>;

/** What the code's table of a document says, as a JSON Schema without descriptions and references. */
function schemaOf(shape: Shape): Schema {
  switch (shape.kind) {
    case 'text':
      return shape.empty === 'allowed' ? { type: 'string' } : { type: 'string', minLength: 1 };
    case 'integer':
      return { type: 'integer', minimum: Number(shape.lowest), maximum: Number(shape.highest) };
    case 'bytes':
      return { type: 'array', items: { type: 'integer', minimum: 0, maximum: 255 } };
    case 'choice':
      return { enum: shape.words };
    case 'optional':
      return { anyOf: [schemaOf(shape.of), { type: 'null' }] };
    case 'list':
      return { type: 'array', items: schemaOf(shape.of) };
    case 'pair':
      return { type: 'array', prefixItems: [schemaOf(shape.of), schemaOf(shape.of)], minItems: 2, maxItems: 2 };
    case 'map':
      return { type: 'object', additionalProperties: schemaOf(shape.of) };
    case 'any':
      return {};
    case 'document':
      return documentSchema(shape.of);
  }
}

function documentSchema({ fields }: DocumentShape): Schema {
  return {
    type: 'object',
    required: fields.filter((field) => field.required).map((field) => field.name),
    properties: Object.fromEntries(fields.map((field) => [field.name, schemaOf(field.shape)])),
  };
}

/** `schema` with what people read taken out and references within `root` replaced by what they stand for. */
function bare(schema: unknown, root: Schema): unknown {
  if (Array.isArray(schema)) return schema.map((part) => bare(part, root));
  if (typeof schema !== 'object' || schema === null) return schema;
  const { $ref, ...rest } = schema as Schema;
  const target = typeof $ref === 'string' ? (root['$defs'] as Schema)[$ref.replace('#/$defs/', '')] : {};
  const merged = Object.entries({ ...(target as Schema), ...rest }).filter(
    ([key, value]) =>
      !['$schema', '$defs', 'title'].includes(key) && !(key === 'description' && typeof value === 'string'),
  );
  return Object.fromEntries(merged.map(([key, value]) => [key, bare(value, root)]));
}

describe('the schemas of the data', () => {
  test.each([
    ['log-entry.schema.json', logEntry],
    ['persisted-session.schema.json', persistedSession],
    ['skip-decision.schema.json', skipDecision],
  ])('%s says what the code checks, field by field, in the same order', (name, shape) => {
    const schema = wireSchemas().get(name) ?? {};
    const expected = documentSchema(shape);
    expect(bare(schema, schema)).toEqual(expected);
    expect(Object.keys(schema['properties'] as Schema)).toEqual(shape.fields.map((field) => field.name));
  });

  test('say that they are of draft 2020-12', () => {
    for (const schema of wireSchemas().values())
      expect(schema['$schema']).toBe('https://json-schema.org/draft/2020-12/schema');
  });
});

describe('the schema of the event', () => {
  const validate = validatorOf('event.schema.json');
  const schema = wireSchemas().get('event.schema.json') ?? {};
  const properties = schema['properties'] as Record<string, Schema>;

  test('knows the types and attributes that the code knows', () => {
    expect(properties['type']?.['enum']).toEqual([...numberedTypes, claimType, skipType]);
    expect(schema['required']).toEqual(requiredAttributes);
    const known = [
      ...requiredAttributes,
      ...numberingAttributes,
      ...optionalAttributes,
      'dataschema',
      'data',
      'data_base64',
    ];
    expect(Object.keys(properties).sort()).toEqual(known.sort());
  });

  test.each(goldenFolders)('accepts every recorded command of %s', (folder) => {
    for (const line of goldenLines(folder)) {
      if (!validate(JSON.parse(textOf(line)))) expect(validate.errors).toEqual([]);
    }
  });

  const sound = [
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

  test.each(sound)('accepts what we write: $type', (command) => {
    expect(validate(JSON.parse(textOf(encodeEvent(command))))).toBe(true);
  });

  const changes: readonly (readonly [string, Record<string, unknown>])[] = [
    ['another version', { specversion: '0.3' }],
    ['an unknown type', { type: 'macp.log.append.v2' }],
    ['an empty subject', { subject: '' }],
    ['a subject with a slash', { subject: 'a/b' }],
    ['two dots', { subject: '..' }],
    ['a subject that is too long', { subject: 's'.repeat(256) }],
    ['a writer with a space', { source: 'a b' }],
    ['a sequence of 0', { macpsequence: '0' }],
    ['a sequence with a leading zero', { macpsequence: '01' }],
    ['a fraction as a sequence', { macpsequence: 1.5 }],
    ['no epoch', { macpepoch: undefined }],
    ['a null sequence', { macpsequence: null }],
    ['the id of a claim', { id: 's/1/claim' }],
    ['a bad time', { time: '2026-02-30T00:00:00Z' }],
    ['an empty attribute', { traceparent: '' }],
    ['an attribute that is an object', { x: {} }],
    ['XML', { datacontenttype: 'application/xml' }],
    ['no data', { data: undefined }],
    ['null as data', { data: null }],
    ['both kinds of data', { data_base64: 'AAAA' }],
    ['data that is no entry', { data: { message_id: 1 } }],
  ];

  test.each(changes)('and the code refuse %s alike', (_what, change) => {
    const event = { ...(JSON.parse(textOf(encodeEvent(append(2, 'm')))) as object), ...change };
    const content = decodeEvent(Buffer.from(JSON.stringify(event)));
    expect(validate(event)).toBe(false);
    expect('refusal' in content && content.refusal?.code).toEqual(expect.any(String));
  });

  test.each([
    ['a claim with a sequence', claim(2, '//w'), { macpsequence: '1' }],
    ['a claim with data', claim(2, '//w'), { data: {} }],
    ['a claim without an epoch', claim(2, '//w'), { macpepoch: undefined }],
    ['a skip with an epoch', skip(8, 2, '0b9f6c1a-52d4-4c1e-9a77-1d2f3e4a5b6c'), { macpepoch: '1' }],
    ['a skip whose id is no UUID', skip(8, 2, '0b9f6c1a-52d4-4c1e-9a77-1d2f3e4a5b6c'), { id: 'x' }],
    ['a creation with data', create(1), { data: {} }],
  ])('and the code refuse %s alike', (_what, command, change) => {
    const event = { ...(JSON.parse(textOf(encodeEvent(command))) as object), ...change };
    const content = decodeEvent(Buffer.from(JSON.stringify(event)));
    expect(validate(event)).toBe(false);
    expect('refusal' in content && content.refusal?.code).toEqual(expect.any(String));
  });
});
