import { readdirSync, readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

const folder = new URL('../../../docs/wire/', import.meta.url);

/** A file of docs/wire as text. */
export function wireDocument(name: string): string {
  return readFileSync(new URL(name, folder), 'utf8');
}

/** The schemas of docs/wire by file name. */
export function wireSchemas(): ReadonlyMap<string, Record<string, unknown>> {
  const names = readdirSync(folder).filter((name) => name.endsWith('.schema.json'));
  return new Map(names.map((name) => [name, JSON.parse(wireDocument(name)) as Record<string, unknown>]));
}

/** A validator that knows the schemas of docs/wire by their file names. Strict: a misspelt keyword is an error. */
export function schemaValidator(): Ajv2020 {
  const validator = new Ajv2020({
    allErrors: true,
    strict: true,
    strictRequired: false,
    allowUnionTypes: true,
    strictTypes: false,
  });
  addFormats.default(validator);
  for (const [name, schema] of wireSchemas()) validator.addSchema(schema, name);
  return validator;
}

export function validatorOf(name: string): ValidateFunction {
  const validate = schemaValidator().getSchema(name);
  if (validate === undefined) throw new Error(`no schema ${name}`);
  return validate;
}
