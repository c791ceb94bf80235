import type { Cursor } from '../domain/cursor.ts';
import type { SessionId, Writer } from '../domain/identifiers.ts';
import type { Line } from '../domain/lines.ts';
import type { Clock } from '../ports/clock.ts';
import type { SessionWatch } from '../ports/session-watch.ts';
import { AbortListeners } from './abort-listeners.ts';
import { claimSession } from './claim-session.ts';
import { CursorReader } from './cursor-reader.ts';
import { readUnnumbered, type UnnumberedCommand } from './input-event.ts';
import { Lane } from './lane.ts';
import { group, Outbox } from './outbox.ts';
import { grouped, type Published, PublishedCount, type PublishingOptions } from './publish-lines.ts';

export interface NumberingOptions extends PublishingOptions {
  readonly writer: Writer;
  /** Tells where the sessions stand once the queue's commands are applied, here or by another process. */
  readonly watch: SessionWatch;
  readonly clock: Clock;
}

const mostRemembered = 100_000;
const settledTogether = 1_000;

/**
 * Numbers and publishes events that carry no number, as `writer`: a name that nobody used before. Each session is
 * claimed first with the epoch above its present one; once the claim is seen applied, its events are numbered from
 * the last sequence on. Resolves when all of them are seen applied. Throws `WRITER_FENCED` when somebody else claims
 * one of the sessions before that, and `INVALID_WRITER` when the name has reigned in one of them before: an answer that
 * was lost must not lead to everything being added once more.
 */
export async function publishAs(lines: AsyncIterable<Line>, options: NumberingOptions): Promise<Published> {
  await using numbering = new Numbering(options);
  const count = new PublishedCount();
  for await (const commands of grouped(lines, (text) => readUnnumbered(text, options.writer))) {
    await numbering.publish(commands);
    count.add(commands);
    options.onPublished(count.published);
  }
  await numbering.settle();
  return count.published;
}

/** One writer in as many sessions as it takes, of which a bounded number is remembered. */
class Numbering implements AsyncDisposable {
  readonly #options: NumberingOptions;
  readonly #outbox: Outbox;
  readonly #cursors: CursorReader;
  readonly #aborts = new AbortListeners();
  readonly #lanes = new Map<SessionId, Lane>();
  /** True once reigns were forgotten: a session may then be met again that this very run has claimed. */
  #forgot = false;

  constructor(options: NumberingOptions) {
    this.#options = options;
    this.#outbox = new Outbox({ ...options, limits: group });
    this.#cursors = new CursorReader(options.watch, options.clock);
  }

  /** Resolves once all of them are durable. */
  async publish(commands: readonly UnnumberedCommand[]): Promise<void> {
    if (this.#lanes.size > mostRemembered) await this.settle();
    const fresh = new Set(commands.map(({ session }) => session).filter((session) => !this.#lanes.has(session)));
    await this.#together([...fresh], (session, signal) => this.#claim(session, signal));
    await Promise.all(commands.map((command) => this.#outbox.put(this.#lane(command.session), command)));
  }

  /** Waits until everything published is applied; from then on the store knows all that is remembered here. */
  async settle(): Promise<void> {
    const lanes = [...this.#lanes.values()];
    for (let start = 0; start < lanes.length; start += settledTogether) {
      await this.#together(lanes.slice(start, start + settledTogether), (lane, signal) => this.#settled(lane, signal));
    }
    this.#lanes.clear();
    this.#forgot = true;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#outbox.close();
  }

  /** Until the given signal is aborted: one signal for all, because one for each costs more than what it is for. */
  async #together<Item>(
    items: readonly Item[],
    wait: (item: Item, signal: AbortSignal) => Promise<unknown>,
  ): Promise<void> {
    if (items.length === 0) return;
    await this.#aborts.during([this.#options.signal], (signal) => Promise.all(items.map((item) => wait(item, signal))));
  }

  async #claim(session: SessionId, signal: AbortSignal): Promise<void> {
    const lane = new Lane(session, this.#options.writer);
    await claimSession(lane, {
      outbox: this.#outbox,
      cursors: this.#cursors,
      signal,
      mayHaveReigned: this.#forgot,
    });
    this.#lanes.set(session, lane);
  }

  #lane(session: SessionId): Lane {
    const lane = this.#lanes.get(session);
    if (lane === undefined) throw new TypeError('a session must be claimed before its commands are numbered');
    return lane;
  }

  #settled(lane: Lane, signal: AbortSignal): Promise<unknown> {
    const isSettled = (cursor: Cursor): boolean => {
      if (lane.isTakenIn(cursor)) return true;
      if (!lane.reignsIn(cursor)) throw lane.fenced(cursor);
      return false;
    };
    return this.#cursors.until(lane.session, isSettled, signal);
  }
}
