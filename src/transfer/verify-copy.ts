import type { Digest } from '../domain/digest.ts';
import { compareText } from '../domain/documents/text-order.ts';
import { isPersistenceError, PersistenceError } from '../domain/errors.ts';
import type { SessionId } from '../domain/identifiers.ts';
import type { CopySource } from '../ports/copy-source.ts';
import { type CopyOptions, throwIfAborted } from './copy-options.ts';
import { copySession, type SessionCopy } from './copy-session.ts';
import { digestSession } from './session-digest.ts';
import { digestWithoutSession, StoreDigest } from './store-digest.ts';
import { StoreSource } from './store-source.ts';

/** What both sides hold alike. */
export interface Verified {
  readonly sessions: number;
  readonly digest: Digest;
}

export interface VerifyOptions extends Pick<CopyOptions, 'signal' | 'onProgress'> {
  /** True to copy a session again that differs, once: the source may have changed, or be changing still. */
  readonly repairs: boolean;
}

/** Reads both sides whole and compares them. Throws `COPY_DIFFERS`. */
export async function verifyCopy(copy: SessionCopy, options: VerifyOptions): Promise<Verified> {
  const { source, target } = copy;
  const stored = new StoreSource(target);
  const whole = new StoreDigest();
  const behind = new Follower(stored.sessions());
  let sessions = 0;
  for await (const session of source.sessions()) {
    throwIfAborted(options.signal);
    await behind.pass(session);
    whole.addSession(await verifySession(session, stored, copy, options.repairs));
    sessions += 1;
    options.onProgress('verifying', sessions);
  }
  await behind.pass(undefined);
  const letters = await verifyWithoutSession(stored, copy, options.repairs);
  return { sessions, digest: whole.finish(letters) };
}

async function verifySession(
  session: SessionId,
  stored: StoreSource,
  copy: SessionCopy,
  repairs: boolean,
): Promise<Digest> {
  const copied = await digestOf(session, stored);
  const read = await digestOf(session, copy.source);
  if (copied !== undefined && copied === read) return copied;
  if (repairs) {
    const again = await copySession(session, copy);
    await copy.writer.flush();
    const written = await digestOf(session, stored);
    if (written !== undefined && written === again?.digest) return written;
  }
  throw differs(`session ${JSON.stringify(session)}`);
}

/** Undefined as well where the session is changed too fast to be read as of one moment. */
async function digestOf(session: SessionId, source: CopySource): Promise<Digest | undefined> {
  try {
    await using read = await source.open(session);
    return read === undefined ? undefined : await digestSession(read);
  } catch (error) {
    if (isPersistenceError(error, 'VIEW_EXPIRED')) return undefined;
    throw error;
  }
}

async function verifyWithoutSession(
  stored: StoreSource,
  { source, writer }: SessionCopy,
  repairs: boolean,
): Promise<Digest> {
  const read = await digestWithoutSession(source, (letters) =>
    repairs ? writer.fileWithoutSession(letters) : Promise.resolve(),
  );
  const copied = await digestWithoutSession(stored);
  if (copied !== read) throw differs('the dead letters without a session');
  return read;
}

/** Goes through the target's sessions beside the source's: one that only the target has is never passed. */
class Follower {
  readonly #sessions: AsyncIterator<SessionId>;
  #next: SessionId | undefined;
  #isStarted = false;

  constructor(sessions: AsyncIterable<SessionId>) {
    this.#sessions = sessions[Symbol.asyncIterator]();
  }

  /** Goes on behind `session`, or, where it is undefined, to the end. */
  async pass(session: SessionId | undefined): Promise<void> {
    if (!this.#isStarted) await this.#advance();
    this.#isStarted = true;
    while (this.#next !== undefined) {
      const order = session === undefined ? -1 : compareText(this.#next, session);
      if (order > 0) return;
      if (order < 0) throw onlyInTarget(this.#next);
      await this.#advance();
    }
  }

  async #advance(): Promise<void> {
    const { done, value } = await this.#sessions.next();
    this.#next = done === true ? undefined : value;
  }
}

function onlyInTarget(session: SessionId): PersistenceError {
  return new PersistenceError(
    'COPY_DIFFERS',
    `the copy holds session ${JSON.stringify(session)}, of which the source keeps nothing any more: ` +
      'begin again with an empty target',
  );
}

function differs(what: string): PersistenceError {
  return new PersistenceError(
    'COPY_DIFFERS',
    `${what} is not the same in the copy as in the source: is the source being written to?`,
  );
}
