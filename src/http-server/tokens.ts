import { readFile, stat } from 'node:fs/promises';
import type { Logger } from 'pino';
import { isPersistenceError, PersistenceError } from '../domain/errors.ts';
import type { Clock } from '../ports/clock.ts';
import { findToken, type KnownToken, tokenDigest } from './known-tokens.ts';
import { readTokenFile } from './token-file.ts';

/** Tells who sends a token. */
export interface TokenSource {
  /** The known token that was sent, or undefined when it is none. Takes as long for any token of the same length. */
  find(sent: string): Promise<KnownToken | undefined>;
}

export interface TokenSourceOptions {
  /** File of tokens, read again when it changes. */
  readonly path?: string | undefined;
  /** A further token that may do everything. */
  readonly ownerToken?: string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Milliseconds between two looks at whether the file changed. */
const lookInterval = 1_000;

/**
 * Opens the tokens of a file, of the owner, or both. Throws `INVALID_CONFIGURATION`, naming what is wrong but never a
 * token, when the file cannot be used; a `TypeError` when there is neither.
 */
export async function openTokenSource(options: TokenSourceOptions): Promise<TokenSource> {
  const { path, ownerToken } = options;
  const owner = ownerToken === undefined ? [] : [ownerOf(ownerToken)];
  if (path !== undefined) return await TokenFile.open(path, owner, options);
  if (owner.length === 0) throw new TypeError('tokens need a file or an owner');
  return { find: async (sent) => findToken(owner, sent) };
}

function ownerOf(token: string): KnownToken {
  return { name: 'owner of the data directory', digest: tokenDigest(token), scopes: ['admin'] };
}

/** Tokens of a file, which is looked at again when somebody asks, at most once a second. */
class TokenFile implements TokenSource {
  readonly #path: string;
  readonly #owner: readonly KnownToken[];
  readonly #clock: Clock;
  readonly #logger: Logger;
  #known: readonly KnownToken[] = [];
  /** What the file looked like when it was last read, or why it could not be. */
  #seen = '';
  #lookedAt: number;
  #looking: Promise<void> | undefined;

  private constructor(path: string, owner: readonly KnownToken[], { clock, logger }: TokenSourceOptions) {
    this.#path = path;
    this.#owner = owner;
    this.#clock = clock;
    this.#logger = logger;
    this.#lookedAt = clock.elapsed();
  }

  static async open(path: string, owner: readonly KnownToken[], options: TokenSourceOptions): Promise<TokenFile> {
    const file = new TokenFile(path, owner, options);
    await file.#read(await file.#appearance());
    return file;
  }

  async find(sent: string): Promise<KnownToken | undefined> {
    if (this.#clock.elapsed() - this.#lookedAt >= lookInterval) {
      this.#looking ??= this.#look();
      await this.#looking;
    }
    return findToken(this.#known, sent);
  }

  /** Reads the file if it changed. What cannot be used is told once, and the tokens stay as they were. */
  async #look(): Promise<void> {
    let appearance = 'unreadable';
    try {
      appearance = await this.#appearance();
      if (appearance === this.#seen) return;
      await this.#read(appearance);
      this.#logger.info(
        { path: this.#path, tokens: this.#known.length - this.#owner.length },
        'the tokens were read again',
      );
    } catch (error) {
      if (!isPersistenceError(error)) throw error;
      if (appearance === this.#seen) return;
      this.#seen = appearance;
      this.#logger.error({ code: error.code, reason: error.message }, 'the tokens stay as they were');
    } finally {
      this.#lookedAt = this.#clock.elapsed();
      this.#looking = undefined;
    }
  }

  /** Something that differs whenever the file behind the path was written or replaced. */
  async #appearance(): Promise<string> {
    try {
      const { dev, ino, size, mtimeNs, ctimeNs } = await stat(this.#path, { bigint: true });
      return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
    } catch (error) {
      throw unreadable(this.#path, error);
    }
  }

  async #read(appearance: string): Promise<void> {
    const text = await readFile(this.#path, 'utf8').catch((error: unknown) => {
      throw unreadable(this.#path, error);
    });
    this.#known = [...readTokenFile(text, this.#path), ...this.#owner];
    // It was looked at before it was read: a change in between is seen the next time.
    this.#seen = appearance;
    const { mode } = await stat(this.#path).catch((error: unknown) => {
      throw unreadable(this.#path, error);
    });
    if ((mode & 0o004) !== 0) {
      this.#logger.warn({ path: this.#path }, 'every user of this machine may read the tokens: take the right away');
    }
  }
}

function unreadable(path: string, cause: unknown): PersistenceError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : 'unknown reason';
  return new PersistenceError('INVALID_CONFIGURATION', `the tokens cannot be read from ${path}: ${code}`, { cause });
}
