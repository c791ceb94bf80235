import { type ClaimCommand, type Command, claimType, commandId } from '../domain/command.ts';
import type { Cursor } from '../domain/cursor.ts';
import { PersistenceError } from '../domain/errors.ts';
import { type Epoch, noEpoch, type Sequence, type SessionId, type Writer } from '../domain/identifiers.ts';
import type { Line } from '../domain/lines.ts';
import type { Clock } from '../ports/clock.ts';
import type { Store } from '../ports/store.ts';
import { numbered, readUnnumbered, type UnnumberedCommand } from './input-event.ts';
import { patiently } from './patiently.ts';
import {
  grouped,
  type Published,
  PublishedCount,
  type PublishingOptions,
  publishWhenWritable,
} from './publish-lines.ts';
import { untilCaughtUp } from './until-caught-up.ts';

export interface NumberingOptions extends PublishingOptions {
  readonly writer: Writer;
  /** Where the queue's commands are applied, here or by another process. */
  readonly store: Store;
  readonly clock: Clock;
}

/** A session that this writer has claimed, and the last number that it gave. */
interface Reigned {
  readonly epoch: Epoch;
  last: Sequence;
}

const mostRemembered = 100_000;
const mostClaims = 8;
const longestPause = 50;

/**
 * Numbers and publishes events that carry no number, as `writer`: a name that nobody used before. Each session is
 * claimed first with the epoch above its present one; once the claim is seen applied, its events are numbered from
 * the last sequence on. Resolves when all of them are seen applied. Throws `WRITER_FENCED` when somebody else claims
 * one of the sessions meanwhile, and `INVALID_WRITER` when the name has reigned in one of them before: an answer that
 * was lost must not lead to everything being added once more.
 */
export async function publishAs(lines: AsyncIterable<Line>, options: NumberingOptions): Promise<Published> {
  // What the queue holds may open or claim sessions: a claim made before that is applied would come too late.
  await untilCaughtUp(options.queue, options.store, options.clock, options.signal);
  const numbering = new Numbering(options);
  const count = new PublishedCount();
  for await (const commands of grouped(lines, (text) => readUnnumbered(text, options.writer))) {
    await numbering.publish(commands);
    count.add(commands);
    options.onPublished(count.published);
  }
  await numbering.settle();
  return count.published;
}

class Numbering {
  readonly #options: NumberingOptions;
  readonly #reigned = new Map<SessionId, Reigned>();
  /** True once reigns were forgotten: a session may then be met again that this very run has claimed. */
  #forgot = false;

  constructor(options: NumberingOptions) {
    this.#options = options;
  }

  async publish(commands: readonly UnnumberedCommand[]): Promise<void> {
    if (this.#reigned.size > mostRemembered) await this.settle();
    await this.#reign(
      [...new Set(commands.map(({ session }) => session))].filter((session) => !this.#reigned.has(session)),
    );
    await this.#send(commands.map((command) => this.#number(command)));
  }

  /** Waits until everything published is applied; from then on the store knows all that is remembered here. */
  async settle(): Promise<void> {
    for (const part of parts([...this.#reigned.keys()], 1000)) {
      await this.#until(part, (session, cursor) => {
        const { epoch, last } = this.#reigned.get(session) ?? { epoch: noEpoch, last: 0 };
        if (!this.#isOurs(cursor, epoch)) throw fenced(session, cursor);
        return cursor.last >= last;
      });
    }
    this.#reigned.clear();
    this.#forgot = true;
  }

  #number(command: UnnumberedCommand) {
    const reign = this.#reigned.get(command.session);
    if (reign === undefined) throw new TypeError('a session must be claimed before its commands are numbered');
    reign.last = (reign.last + 1) as Sequence;
    return numbered(command, this.#options.writer, reign.epoch, reign.last);
  }

  /** Claims the sessions, and resolves once this writer is seen to reign in each of them. */
  async #reign(sessions: readonly SessionId[]): Promise<void> {
    let claims: ReadonlyMap<SessionId, ClaimCommand> = new Map();
    let open = sessions;
    for (let attempt = 0; open.length > 0; attempt += 1) {
      const cursors = await this.#cursors(open);
      const next = new Map<SessionId, ClaimCommand>();
      open.forEach((session, index) => {
        const cursor = cursors[index];
        const claimed = claims.get(session)?.epoch;
        if (attempt === 0 && !this.#forgot && cursor !== undefined) this.#refuseUsedName(session, cursor);
        if (cursor !== undefined && claimed !== undefined && this.#isOurs(cursor, claimed))
          this.#takeUp(session, cursor);
        else if (attempt === mostClaims) throw fenced(session, cursor);
        else next.set(session, this.#claim(session, ((cursor?.epoch ?? noEpoch) + 1) as Epoch));
      });
      if (next.size > 0) await this.#send([...next.values()]);
      claims = next;
      open = [...next.keys()];
      // Another claim may stand before ours: then its epoch counts, and the next attempt goes above it.
      await this.#until(open, (session, cursor) => cursor.epoch >= (next.get(session)?.epoch ?? noEpoch));
    }
  }

  #refuseUsedName(session: SessionId, { writer, earlier }: Cursor): void {
    const name = this.#options.writer;
    if (writer !== name && !earlier.some((reign) => reign.writer === name)) return;
    throw new PersistenceError(
      'INVALID_WRITER',
      `${name} has written to session ${JSON.stringify(session)} before: a writer's name is used by one run only. If that run's ` +
        'answer was lost, look at what it left with `sessions show`; to add these events again, choose a fresh name',
    );
  }

  #takeUp(session: SessionId, { epoch, last }: Cursor): void {
    this.#reigned.set(session, { epoch, last });
  }

  #claim(session: SessionId, epoch: Epoch): ClaimCommand {
    const { writer } = this.#options;
    return { kind: 'claim', type: claimType, session, writer, epoch, id: commandId(session, epoch, 'claim') };
  }

  #isOurs({ epoch, writer, halted }: Cursor, expected: Epoch): boolean {
    return epoch === expected && writer === this.#options.writer && !halted;
  }

  /** What is refused for want of room on the disk is certainly not in the queue, and is sent again. */
  #send(commands: readonly Command[]): Promise<void> {
    const { clock, signal } = this.#options;
    return patiently(() => publishWhenWritable(commands, this.#options), clock, signal);
  }

  #cursors(sessions: readonly SessionId[]): Promise<readonly (Cursor | undefined)[]> {
    const { store, clock, signal } = this.#options;
    return patiently(() => store.readCursors(sessions), clock, signal);
  }

  /** Resolves once `isReached` holds for the cursor of every session. */
  async #until(
    sessions: readonly SessionId[],
    isReached: (session: SessionId, cursor: Cursor) => boolean,
  ): Promise<void> {
    const { clock, signal } = this.#options;
    let open = sessions;
    for (let pause = 1; open.length > 0; pause = Math.min(longestPause, pause * 2)) {
      const cursors = await this.#cursors(open);
      open = open.filter((session, index) => {
        const cursor = cursors[index];
        return cursor === undefined || !isReached(session, cursor);
      });
      if (open.length > 0) await clock.sleep(pause, signal);
    }
  }
}

function* parts<Item>(items: readonly Item[], size: number): Generator<readonly Item[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}

function fenced(session: SessionId, cursor: Cursor | undefined): PersistenceError {
  const by = cursor?.writer === undefined ? 'another writer' : cursor.writer;
  const what =
    cursor?.halted === true ? 'is halted by a conflict' : `was claimed by ${by} (epoch ${cursor?.epoch ?? 0})`;
  return new PersistenceError(
    'WRITER_FENCED',
    `session ${JSON.stringify(session)} ${what} while it was written to: what was sent after that is in its dead letters`,
  );
}
