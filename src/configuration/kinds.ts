import { z } from 'zod';
import {
  AddressProblem,
  parseQueueReference,
  parseStoreReference,
  type QueueReference,
  queueSyntax,
  type StoreReference,
  showAddress,
  storeSyntax,
} from './addresses.ts';
import {
  durationPattern,
  durationSyntax,
  parseDuration,
  parseSize,
  showDuration,
  showSize,
  sizePattern,
  sizeSyntax,
} from './quantities.ts';

/** The only values there are, or the kind of path that shells complete. */
export type KnownValues = readonly string[] | 'file' | 'directory';

/** A kind of value that a setting can have: how it is read from text and from the file, checked, and shown. */
export interface Kind<Value> {
  /** What stands for the value in help texts. `undefined`: the flag needs no value. */
  readonly placeholder: string | undefined;
  /** What shells offer for it. */
  readonly values?: KnownValues;
  /** Checks and converts what the configuration file holds. */
  readonly schema: z.ZodType<Value>;
  /** The text of a flag or an environment variable as the file would hold it. */
  fromText(text: string): unknown;
  /** The value as a flag would be given it. */
  show(value: Value): string;
}

/** Any text that is not empty. */
export const text: Kind<string> = {
  placeholder: 'TEXT',
  schema: z.string({ error: 'is not a text' }).min(1, 'is empty'),
  fromText: (given) => given,
  show: (value) => value,
};

/** A file; a relative one starts at the current directory. */
export const file: Kind<string> = { ...text, placeholder: 'FILE', values: 'file' };

/** A directory; a relative one starts at the current directory. */
export const directory: Kind<string> = {
  ...text,
  placeholder: 'DIR',
  values: 'directory',
  schema: z
    .string({ error: 'is not a path' })
    .min(1, 'is empty')
    .refine((path) => !path.includes('\0'), 'holds a NUL')
    .refine((path) => !path.startsWith('~/'), 'starts with ~, which is not expanded: write the whole path'),
};

/** A whole number within bounds, both included. */
export function integer(minimum: number, maximum: number): Kind<number> {
  const error = `is not a whole number from ${minimum} to ${maximum}`;
  return {
    placeholder: 'NUMBER',
    schema: z.int({ error }).min(minimum, error).max(maximum, error),
    fromText: (given) => (/^-?[0-9]{1,16}$/.test(given) ? Number(given) : given),
    show: String,
  };
}

/** A size in bytes, written as `64MiB`, at least `minimum` bytes. */
export function size(minimum: number): Kind<number> {
  const error = `is not a size: write ${sizeSyntax}`;
  return {
    placeholder: 'SIZE',
    schema: z
      .union([z.int({ error }).min(0, error), z.string({ error }).regex(sizePattern, error)], { error })
      .transform((given, context) => checked(typeof given === 'number' ? given : parseSize(given), context, error))
      .refine((bytes) => bytes >= minimum, `is less than ${showSize(minimum)}`),
    fromText: (given) => given,
    show: showSize,
  };
}

/** A duration in milliseconds, written as `7d` or `500ms`, at least `minimum` milliseconds. */
export function duration(minimum: number): Kind<number> {
  const error = `is not a duration: write ${durationSyntax}`;
  return {
    placeholder: 'DURATION',
    schema: z
      .string({ error })
      .regex(durationPattern, error)
      .transform((given, context) => checked(parseDuration(given), context, error))
      .refine((milliseconds) => milliseconds >= minimum, `is less than ${showDuration(minimum)}`),
    fromText: (given) => given,
    show: showDuration,
  };
}

/** One of a few words. */
export function choice<const Word extends string>(words: readonly [Word, ...Word[]]): Kind<Word> {
  return {
    placeholder: words.join('|'),
    values: words,
    schema: z.enum(words, { error: `is none of ${words.join(', ')}` }),
    fromText: (given) => given,
    show: (value) => value,
  };
}

/** Yes or no: the flag alone means yes, `--no-…` means no. */
export const truth: Kind<boolean> = {
  placeholder: undefined,
  schema: z.boolean({ error: 'is neither true nor false' }),
  fromText: (given) => (given === 'true' ? true : given === 'false' ? false : given),
  show: String,
};

/** Several texts; separated by commas in flags and environment variables, a JSON array (or the same text) in the file. */
export const list: Kind<readonly string[]> = {
  placeholder: 'A,B,…',
  schema: z
    .union([z.array(z.string()), z.string()], { error: 'is not a list: write texts separated by commas' })
    .transform((given) => (typeof given === 'string' ? given.split(',') : given).map((item) => item.trim()))
    .refine((items) => items.length > 0 && items.every((item) => item !== ''), 'has an empty item'),
  fromText: (given) => given,
  show: (value) => value.join(','),
};

/** A store by kind name or URL. `available` are the kinds that this build has an adapter for. */
export function storeReference(available: readonly string[]): Kind<StoreReference> {
  return reference('store', storeSyntax(available), (text) => parseStoreReference(text, available), available);
}

/** A queue by kind name or URL. `available` are the kinds that this build has an adapter for. */
export function queueReference(available: readonly string[]): Kind<QueueReference> {
  return reference('queue', queueSyntax(available), (text) => parseQueueReference(text, available), available);
}

function reference<Reference extends StoreReference | QueueReference>(
  what: 'store' | 'queue',
  syntax: string,
  parse: (text: string) => Reference,
  available: readonly string[],
): Kind<Reference> {
  const convert = (given: string, context: z.RefinementCtx): Reference => {
    try {
      const found = parse(given);
      if (available.includes(found.kind)) return found;
      context.addIssue(
        `names ${what} kind ${found.kind}, which is not part of this build: use ${available.join(' or ')}`,
      );
    } catch (error) {
      if (!(error instanceof AddressProblem)) throw error;
      context.addIssue(`cannot be used: ${error.message}`);
    }
    return z.NEVER;
  };
  return {
    placeholder: 'KIND|URL',
    values: available,
    schema: z
      .string({ error: `is not a ${what}: write one of ${syntax}` })
      .min(1, `is empty: write one of ${syntax}`)
      .transform(convert),
    fromText: (given) => given,
    show: showAddress,
  };
}

function checked(value: number | undefined, context: z.RefinementCtx, error: string): number {
  if (value !== undefined) return value;
  context.addIssue(error);
  return z.NEVER;
}
