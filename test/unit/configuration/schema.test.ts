import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { root } from '../../../scripts/project.mjs';
import { buildSettings } from '../../../src/compose/settings.ts';
import { resolveConfiguration } from '../../../src/configuration/resolve.ts';
import { configurationSchema } from '../../../src/configuration/schema.ts';
import { file, laterTable, sources } from './table.ts';

const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const validate = new Ajv2020({ strict: true, strictTypes: false }).compile(configurationSchema(laterTable));

test('config/macp-persist.schema.json is the one of the table (npm run schema)', () => {
  expect(JSON.parse(read('config/macp-persist.schema.json'))).toEqual(configurationSchema(buildSettings()));
});

test('the example is valid, by the schema and by the program', () => {
  const example = read('config/macp-persist.example.json');
  const isValid = new Ajv2020({ strict: true, strictTypes: false }).compile(
    JSON.parse(read('config/macp-persist.schema.json')),
  );
  expect(isValid(JSON.parse(example)), JSON.stringify(isValid.errors)).toBe(true);
  const { origins } = resolveConfiguration(buildSettings(), sources({ file: file(example) }));
  expect(origins.dataDir.from).toBe('file');
});

test.each<[unknown, boolean]>([
  [{}, true],
  [{ $schema: './macp-persist.schema.json' }, true],
  [{ kafka: { brokers: ['a:1'], ssl: true, sessionTimeout: '5s' }, queue: { room: 1 } }, true],
  [{ kafka: { brokers: 'a:1,b:2' }, queue: { room: '1 GiB' }, http: { port: 1 } }, true],
  [{ kafka: { broker: ['a:1'] } }, false],
  [{ kafka: 'a:1' }, false],
  [{ 'kafka.ssl': true }, false],
  [{ queue: { room: '1 apple' } }, false],
  [{ queue: { room: 1.5 } }, false],
  [{ kafka: { sessionTimeout: 5 } }, false],
  [{ http: { port: '80' } }, false],
  [{ http: { port: 65_536 } }, false],
  [{ log: { level: 'loud' } }, false],
])('schema and program agree on %o', (content, valid) => {
  expect(validate(content), JSON.stringify(validate.errors)).toBe(valid);
  const resolve = () => resolveConfiguration(laterTable, sources({ file: file(content) }));
  if (valid) resolve();
  else expect(resolve).toThrow('wrong:');
});

test('secrets are marked, defaults are told', () => {
  const { properties } = configurationSchema(laterTable) as {
    properties: Record<string, { properties: Record<string, unknown> }>;
  };
  expect(properties['http']?.properties['tokens']).toMatchObject({ writeOnly: true });
  expect(properties['queue']?.properties['room']).toMatchObject({ default: '64MiB', description: 'How much may wait' });
});
