import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { HttpServer } from '../../../src/http-server/server.ts';
import { openServer } from './open-server.ts';

interface Media {
  readonly schema?: object;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}
interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly security: readonly object[];
  readonly parameters?: readonly { readonly name: string; readonly description: string; readonly schema: object }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<Record<string, { description: string; content: Readonly<Record<string, Media>> }>>;
}
interface Description {
  readonly openapi: string;
  readonly info: { readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, { readonly examples?: readonly unknown[] }>> };
}

let server: HttpServer;
let description: Description;
let operations: readonly (readonly [string, Operation])[];

beforeAll(async () => {
  server = await openServer({ version: '1.2.3' });
  description = (await (await fetch(`${server.url}/openapi.json`)).json()) as Description;
  operations = Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => [`${method} ${path}`, operation] as const),
  );
});

afterAll(() => server.close());

const fillIn = (schema: object): object => JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"openapi#/'));

function compile() {
  const ajv = new Ajv2020({ strict: false });
  ajv.addSchema({ $id: 'openapi', ...description });
  return ajv;
}

describe('the description of the service', () => {
  test('is OpenAPI 3.1 and names every operation once', () => {
    expect(description).toMatchObject({ openapi: '3.1.0', info: { version: '1.2.3' } });
    const ids = operations.map(([, { operationId }]) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(operations.map(([name]) => name).sort()).toEqual(
      [
        'get /v1/sessions',
        ...['', '/summary', '/cursor', '/receipt', '/anchor', '/log', '/incoming'].map(
          (path) => `get /v1/sessions/{id}${path}`,
        ),
        'post /v1/commands',
        'get /v1/admin/dead-letters',
        'get /v1/admin/dead-letters/{filed}',
        'post /v1/admin/sessions/{id}/skip',
        'post /v1/admin/sessions/{id}/repair',
        'get /v1/admin/status',
        'get /v1/admin/dump',
        'post /v1/admin/backups',
        'post /v1/filed',
        'get /healthz',
        'get /readyz',
        'get /metrics',
        'get /openapi.json',
      ].sort(),
    );
  });

  test('says of every answer what it is, and of every error that it is a problem', () => {
    for (const [name, { responses, summary, security, tags }] of operations) {
      expect([summary.length > 0, tags.length, Array.isArray(security)], name).toEqual([true, 1, true]);
      const statuses = Object.keys(responses);
      expect(statuses, name).toEqual(expect.arrayContaining(['200', '400', '403', '429', '500', '503']));
      expect(statuses.includes('401'), name).toBe(security.length > 0);
      for (const [status, { content, description: text }] of Object.entries(responses)) {
        expect(text.length, `${name} ${status}`).toBeGreaterThan(0);
        if (Number(status) >= 400) expect(Object.keys(content)).toEqual(['application/problem+json']);
        for (const { schema } of Object.values(content)) expect(schema, `${name} ${status}`).toBeDefined();
      }
    }
  });

  test('describes every parameter', () => {
    for (const [name, { parameters = [] }] of operations) {
      for (const parameter of parameters) expect(parameter.description, `${name} ${parameter.name}`).toBeTruthy();
    }
  });

  test('describes the streams and the bodies that are taken as bytes', () => {
    const operation = (name: string): Operation => Object.fromEntries(operations)[name] as Operation;
    expect(Object.keys(operation('get /v1/sessions/{id}/log').responses['200']?.content ?? {})).toEqual([
      'application/x-ndjson',
      'text/event-stream',
    ]);
    expect(Object.keys(operation('post /v1/commands').requestBody?.content ?? {})).toEqual([
      'application/cloudevents+json',
      'application/cloudevents-batch+json',
    ]);
    expect(Object.keys(operation('post /v1/admin/sessions/{id}/repair').requestBody?.content ?? {})).toEqual([
      'application/json',
      'application/octet-stream',
    ]);
  });

  test('has schemas that compile, all references included, and examples that are of them', () => {
    const ajv = compile();
    for (const [name, { examples = [] }] of Object.entries(description.components.schemas)) {
      const validate = ajv.compile({ $ref: `openapi#/components/schemas/${name}` });
      for (const example of examples) expect(validate(example) || validate.errors, name).toBe(true);
    }
    for (const [name, { parameters = [], requestBody, responses }] of operations) {
      for (const { schema } of parameters) expect(() => ajv.compile(fillIn(schema)), name).not.toThrow();
      const contents = [requestBody, ...Object.values(responses)].flatMap((one) => Object.values(one?.content ?? {}));
      for (const { schema = {}, examples = {} } of contents) {
        const validate = ajv.compile(fillIn(schema));
        for (const { value } of Object.values(examples)) expect(validate(value) || validate.errors, name).toBe(true);
      }
    }
  });
});
