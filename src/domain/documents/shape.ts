import { PersistenceError } from '../errors.ts';

/** What a value must be, in the terms of Rust's types, because that is what upstream reads it into. */
export type Shape =
  | { readonly kind: 'text'; readonly empty: 'allowed' | 'refused' }
  | IntegerShape
  | { readonly kind: 'bytes' }
  | ChoiceShape
  | { readonly kind: 'optional'; readonly of: Shape }
  | { readonly kind: 'list'; readonly of: Shape }
  | { readonly kind: 'pair'; readonly of: Shape }
  | { readonly kind: 'map'; readonly of: Shape }
  | { readonly kind: 'document'; readonly of: DocumentShape }
  /** Any value; `depth` containers may be open at once. */
  | { readonly kind: 'any'; readonly depth: number };

/** An integer in a range. The range stands there as doubles too: comparing those is quick. */
export interface IntegerShape {
  readonly kind: 'integer';
  /** What people call such a number. */
  readonly name: string;
  readonly lowest: bigint;
  readonly highest: bigint;
  readonly lowestDouble: number;
  readonly highestDouble: number;
}

/** An integer from `lowest` to `highest`, both included, called `name`. */
export function integer(name: string, lowest: bigint, highest: bigint): IntegerShape {
  return { kind: 'integer', name, lowest, highest, lowestDouble: Number(lowest), highestDouble: Number(highest) };
}

/** One of a few words, with the texts in which they usually stand. */
export interface ChoiceShape {
  readonly kind: 'choice';
  readonly words: readonly string[];
  readonly tokens: readonly Uint8Array[];
}

/** One of `words`. */
export function choice(...words: readonly string[]): ChoiceShape {
  return { kind: 'choice', words, tokens: words.map((word) => tokenOf(word)) };
}

function tokenOf(word: string, following = ''): Uint8Array {
  return Buffer.from(JSON.stringify(word) + following, 'utf8');
}

/** One member of a document. One that is not required may be absent, but not null, unless its shape is optional. */
export interface Field {
  readonly name: string;
  readonly shape: Shape;
  readonly required: boolean;
}

/** A JSON object with known members, at most 31; members of other names may hold any JSON. */
export interface DocumentShape {
  readonly fields: readonly Field[];
  /** The fields' names as they usually stand in a text, colon included. */
  readonly tokens: readonly Uint8Array[];
  readonly indexes: ReadonlyMap<string, number>;
  /** One bit for each required field. */
  readonly required: number;
  /** For each field, its place in what {@link readDocument} notes, or -1. */
  readonly notes: readonly number[];
}

/** A document of these fields. The values of those in `noted` are wanted by whoever reads it. */
export function documentShape(fields: readonly Field[], noted: readonly string[] = []): DocumentShape {
  return {
    fields,
    tokens: fields.map((field) => tokenOf(field.name, ':')),
    indexes: new Map(fields.map((field, index) => [field.name, index])),
    required: fields.reduce((bits, field, index) => (field.required ? bits | (1 << index) : bits), 0),
    notes: fields.map((field) => noted.indexOf(field.name)),
  };
}

/**
 * A value of valid JSON that is not of its shape. `offset` is where the value starts; `problem` follows its name and
 * never repeats the value: messages end up in logs.
 */
export class ShapeError extends PersistenceError {
  readonly offset: number;
  readonly problem: string;

  constructor(offset: number, problem: string) {
    super('INVALID_DATA', `byte ${offset}: ${problem}`);
    this.offset = offset;
    this.problem = problem;
  }
}
