import type { Digest } from '../domain/digest.ts';
import { compareText } from '../domain/documents/text-order.ts';
import { isPersistenceError, PersistenceError } from '../domain/errors.ts';
import type { SessionId } from '../domain/identifiers.ts';
import type { CopySource } from '../ports/copy-source.ts';
import { digestWithoutSession, StoreDigest } from '../transfer/store-digest.ts';
import { compareFiled, compareSessions } from './compare-sessions.ts';
import { isDamage } from './damage.ts';
import { type Difference, onlyIn, onlySide } from './difference.ts';
import { inOrder } from './in-order.ts';
import { type Pair, pairUp } from './pair-up.ts';
import { digestWithin, openWithin, type Scope, type Sessions } from './scope.ts';

/** How many sessions are read at the same time. */
export const sessionsAtOnce = 4;
/** How often a session is read anew that somebody goes on changing. */
export const attempts = 20;

/** The two that are compared. Nothing of them is written to. */
export interface Compared {
  readonly first: CopySource;
  readonly second: CopySource;
  /** What counts. `content`: only what existing sessions hold, where one of the two has no numbers that could be right. */
  readonly scope: Scope;
  /** Only these sessions; undefined for all. What belongs to no session counts all the same. */
  readonly only?: Pick<ReadonlySet<SessionId>, 'has'> | undefined;
}

export interface ComparisonOptions {
  /** Ends the comparison between two sessions with `ABORTED`. */
  readonly signal: AbortSignal;
  /** Told how many sessions are done. */
  readonly onProgress: (sessions: number) => void;
  /** Told each difference, in the order of the sessions' ids; what belongs to no session comes last. */
  readonly onDifference: (difference: Difference) => Promise<void>;
}

export interface Comparison {
  /** That either of the two keeps something of. */
  readonly sessions: number;
  readonly differentSessions: number;
  /** Sessions whose bytes are others, while their documents say the same. */
  readonly rewordedSessions: number;
  readonly differences: number;
  /** Over what each holds, byte for byte (`store-digest.ts`). */
  readonly digests: { readonly first: Digest; readonly second: Digest };
}

/** What came of one session. The digest of a side is undefined where that keeps nothing of it, or cannot be read. */
interface ComparedSession {
  readonly first: Digest | undefined;
  readonly second: Digest | undefined;
  readonly differences: readonly Difference[];
}

/**
 * Reads both whole, session by session, and names every difference. Sessions are compared by digests of all that is
 * stored of them, made anew from what is read; only where those differ both are read again side by side, and documents
 * whose bytes differ are compared in their canonical form. Throws `VIEW_EXPIRED` when a session is changed too often
 * meanwhile; `ABORTED`.
 */
export async function compareStores(compared: Compared, options: ComparisonOptions): Promise<Comparison> {
  const { first, second } = compared;
  const digests = { first: new StoreDigest(), second: new StoreDigest() };
  const counts = { sessions: 0, differentSessions: 0, rewordedSessions: 0, differences: 0 };
  const tell = async (difference: Difference): Promise<void> => {
    counts.differences += 1;
    await options.onDifference(difference);
  };
  const sessions = pairUp(listed(first, compared), listed(second, compared), compareText);
  const results = inOrder(sessions, sessionsAtOnce, (pair) => compareSession(pair, compared));
  for await (const result of results) {
    if (options.signal.aborted) throw new PersistenceError('ABORTED', `interrupted after ${counts.sessions} sessions`);
    if (result.first !== undefined) digests.first.addSession(result.first);
    if (result.second !== undefined) digests.second.addSession(result.second);
    if (result.differences.length > 0) counts.differentSessions += 1;
    else if (result.first !== result.second) counts.rewordedSessions += 1;
    for (const difference of result.differences) await tell(difference);
    counts.sessions += 1;
    options.onProgress(counts.sessions);
  }
  const [ofFirst, ofSecond] = await Promise.all([digestWithoutSession(first), digestWithoutSession(second)]);
  if (ofFirst !== ofSecond) {
    for await (const letter of compareFiled(first.withoutSession(), second.withoutSession())) {
      await tell({ session: undefined, ...letter });
    }
  }
  return { ...counts, digests: { first: digests.first.finish(ofFirst), second: digests.second.finish(ofSecond) } };
}

async function* listed(source: CopySource, { only }: Compared): AsyncGenerator<SessionId> {
  for await (const session of source.sessions()) if (only?.has(session) !== false) yield session;
}

type Sides = Readonly<Record<'first' | 'second', Sessions>> & Pick<Compared, 'scope'>;

/** In place of a source that does not list the session. */
const nowhere: Sessions = { open: () => Promise.resolve(undefined) };

async function compareSession(pair: Pair<SessionId>, { first, second, scope }: Compared): Promise<ComparedSession> {
  const session = pair.first ?? pair.second;
  // What macp-runtime wrote shows every session that it is asked for, as an empty one. Others may have it by now.
  const mayHave = (listed: SessionId | undefined): boolean => listed !== undefined || scope === 'everything';
  const sides: Sides = {
    first: mayHave(pair.first) ? first : nowhere,
    second: mayHave(pair.second) ? second : nowhere,
    scope,
  };
  for (let attempt = 1; ; attempt += 1) {
    try {
      const [one, other] = await Promise.all([
        digestOf(session, sides.first, scope),
        digestOf(session, sides.second, scope),
      ]);
      const isSame = one !== undefined && one === other;
      return { first: one, second: other, differences: isSame ? [] : await nameDifferences(session, sides) };
    } catch (error) {
      if (!isPersistenceError(error, 'VIEW_EXPIRED') || attempt === attempts) throw error;
    }
  }
}

async function digestOf(session: SessionId, source: Sessions, scope: Scope): Promise<Digest | undefined> {
  try {
    await using read = await openWithin(session, source, scope);
    return read === undefined ? undefined : await digestWithin(read, scope);
  } catch (error) {
    // What is damaged is told with the differences.
    if (isDamage(error)) return undefined;
    throw error;
  }
}

async function nameDifferences(session: SessionId, { first, second, scope }: Sides): Promise<readonly Difference[]> {
  try {
    await using one = await openWithin(session, first, scope);
    await using other = await openWithin(session, second, scope);
    if (one !== undefined && other !== undefined) return await compareSessions(one, other, scope);
    const side = onlySide(one, other);
    // Both may have let go of it meanwhile.
    if (side === undefined) return [];
    return [{ session, part: 'session', item: undefined, relation: onlyIn(side), detail: undefined }];
  } catch (error) {
    if (!isDamage(error)) throw error;
    return [{ session, part: 'session', item: undefined, relation: 'unreadable', detail: error.message }];
  }
}
