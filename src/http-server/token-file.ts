import { z } from 'zod';
import { PersistenceError } from '../domain/errors.ts';
import { type KnownToken, scopes, tokenDigest } from './known-tokens.ts';

const shortestToken = 16;

const text = z.string('must be a text');

const entry = z.strictObject(
  {
    name: text.min(1, 'must not be empty').max(100, 'must have at most 100 characters'),
    token: text
      .min(shortestToken, `must have at least ${shortestToken} characters`)
      .max(512, 'must have at most 512 characters')
      .regex(/^[A-Za-z0-9\-._~+/]+=*$/, 'must be of letters, digits and -._~+/, with = only at the end (RFC 6750)')
      .optional(),
    sha256: text.regex(/^[0-9a-fA-F]{64}$/, 'must have 64 hexadecimal digits').optional(),
    scopes: z.array(z.enum(scopes, `must be one of ${scopes.join(', ')}`), 'must be an array').min(1, 'must name one'),
  },
  'must be an object',
);

const shape = z.strictObject({ tokens: z.array(entry, 'must be an array') }, 'must be an object');

type Entry = z.infer<typeof entry>;

/**
 * The tokens of a file: `{"tokens":[{"name":…,"token":… or "sha256":…,"scopes":[…]}]}`. Throws
 * `INVALID_CONFIGURATION` with every mistake, none of which repeats what stands in the file.
 */
export function readTokenFile(text: string, path: string): readonly KnownToken[] {
  const parsed = shape.safeParse(parseJson(text, path));
  if (!parsed.success) throw invalid(path, parsed.error.issues.map(describe));
  const known = parsed.data.tokens.map(({ name, token, sha256, scopes }) => ({
    name,
    digest: token === undefined ? Buffer.from(sha256 ?? '', 'hex') : tokenDigest(token),
    scopes,
  }));
  const mistakes = parsed.data.tokens.flatMap((entry, index) => mistakesOf(entry, index, known));
  if (mistakes.length > 0) throw invalid(path, mistakes);
  return known;
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What the parser says quotes the file: it is no cause either.
    throw invalid(path, ['it is not JSON']);
  }
}

function describe(issue: z.core.$ZodIssue): string {
  const place = issue.path.length === 0 ? 'the file' : issue.path.join('.');
  if (issue.code === 'unrecognized_keys') return `${place} has a member that is not known here`;
  return `${place} ${issue.message}`;
}

function mistakesOf({ name, token, sha256 }: Entry, index: number, known: readonly KnownToken[]): readonly string[] {
  const mistakes: string[] = [];
  if ((token === undefined) === (sha256 === undefined)) {
    mistakes.push(`tokens.${index} must have either token or sha256`);
  }
  const before = known.slice(0, index);
  const digest = known[index]?.digest ?? new Uint8Array(0);
  if (before.some((other) => other.name === name)) mistakes.push(`tokens.${index} has the name of an earlier one`);
  if (before.some((other) => Buffer.compare(other.digest, digest) === 0)) {
    mistakes.push(`tokens.${index} is the same token as an earlier one`);
  }
  return mistakes;
}

function invalid(path: string, mistakes: readonly string[]): PersistenceError {
  return new PersistenceError('INVALID_CONFIGURATION', `the tokens in ${path} cannot be used: ${mistakes.join('; ')}`);
}
