import { EventEmitter, setMaxListeners } from 'node:events';
import { isPersistenceError, type PersistenceError, toPersistenceError } from '../domain/errors.ts';
import type { Writer } from '../domain/identifiers.ts';
import type { Clock } from '../ports/clock.ts';
import type { Queue } from '../ports/queue.ts';
import type { RedisClient, RedisPeer, RedisReply } from '../ports/redis-peer.ts';
import type { SessionWatch } from '../ports/session-watch.ts';
import type { Store } from '../ports/store.ts';
import type { GatewayEvents, GatewayState } from '../ports/telemetry.ts';
import { AbortListeners } from '../publisher/abort-listeners.ts';
import { patiently } from '../publisher/patiently.ts';
import type { Sink } from '../publisher/sink.ts';
import { untilCaughtUp } from '../publisher/until-caught-up.ts';
import { SessionReader } from '../read-side/session-reader.ts';
import { Conversation, type ConversationHost } from './conversation.ts';
import { Keys } from './keys.ts';
import { ListedSessions } from './listed-sessions.ts';
import { type Refused, refused } from './operations.ts';
import { readers } from './read-request.ts';
import { Reads } from './reads.ts';
import { Reign } from './reign.ts';
import { TimeLimit } from './time-limit.ts';
import { Workload } from './workload.ts';

export interface GatewayOptions {
  readonly queue: Queue;
  /** Where the queue's commands are applied, here or by other processes. */
  readonly store: Store;
  /** Of the same store. */
  readonly watch: SessionWatch;
  readonly clock: Clock;
  /** What all keys begin with, before a colon. */
  readonly prefix: string;
  /** A name that nobody has used before. */
  readonly newWriter: () => Writer;
  /** About how many sessions it remembers while nothing of them is under way. Default 100,000, at some 600 bytes each. */
  readonly rememberedSessions?: number | undefined;
}

const defaultRememberedSessions = 100_000;

/** The runtime's Redis client gives up after 500 ms: what is answered later, it takes for a failure and sends again. */
const longestAnswer = 400;

/**
 * What macp-runtime takes for its Redis: writes become commands on the queue, reads are answered from the store. One
 * connection writes at a time, in a {@link Reign} of its own; see {@link GatewayState} for the life of the whole. Queue,
 * store and watch belong to whoever opened them.
 */
export class Gateway extends EventEmitter<GatewayEvents> implements RedisPeer, ConversationHost {
  readonly commands: RedisPeer['commands'] = readers;
  readonly #options: GatewayOptions;
  readonly #keys: Keys;
  readonly #reads: Reads;
  readonly #listed: ListedSessions;
  readonly #ending = new AbortController();
  readonly #timeLimit: TimeLimit;
  readonly #workload = new Workload();
  readonly #aborts = new AbortListeners();
  readonly #conversations = new Set<Conversation>();
  #state: GatewayState = 'idle';
  /** The present one while the gateway is open. */
  #reign: Reign | undefined;
  /** Whose the present reign is, or the next one will be. */
  #writer: Conversation | undefined;
  /** Those who wait for the gateway to be open, or never to be again. */
  #waiting: (() => void)[] = [];

  constructor(options: GatewayOptions) {
    super();
    this.#options = options;
    this.#keys = new Keys(options.prefix);
    this.#reads = new Reads(options.store);
    this.#listed = new ListedSessions(new SessionReader(options.store));
    setMaxListeners(0, this.#ending.signal);
    this.#timeLimit = new TimeLimit(options.clock, longestAnswer, this.#ending.signal);
  }

  get state(): GatewayState {
    return this.#state;
  }

  /**
   * Lives until `signal` is aborted. Rejects with `WRITER_FENCED` once another gateway has taken over, and with whatever
   * else the queue fails of for good: nothing is answered any more then.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { queue, store, clock } = this.#options;
    try {
      this.#become('fencing');
      await using publisher = await patiently(() => publisherOf(queue, this.#options.prefix, signal), clock, signal);
      while (!signal.aborted) {
        this.#become('catching up');
        this.#listed.begin(await untilCaughtUp(queue, store, clock, signal));
        await this.#reignOver(publisher, signal);
      }
    } catch (error) {
      if (!isPersistenceError(error, 'ABORTED') || !signal.aborted) throw this.#failed(error);
    } finally {
      this.#become('ended');
      this.#ending.abort('the gateway has ended');
      for (const conversation of this.#conversations) conversation.cut('the gateway has ended');
    }
  }

  converse(client: RedisClient): Conversation {
    const conversation = new Conversation({
      host: this,
      keys: this.#keys,
      reads: this.#reads,
      timeLimit: this.#timeLimit,
      workload: this.#workload,
      cut: (reason) => {
        this.emit('cut', reason);
        client.cut(reason);
      },
      onAnswered: (command, reply, arrived) => this.#tell(command, reply, arrived),
    });
    this.#conversations.add(conversation);
    return conversation;
  }

  async own(conversation: Conversation): Promise<Reign | Refused> {
    // Whoever was cut while a request of its waited for its turn.
    if (!this.#conversations.has(conversation)) return refused('the connection is gone: nothing was written');
    if (this.#writer !== conversation) this.#handOver(conversation);
    const reign = await this.present();
    if (this.#writer !== conversation) return refused('a newer connection writes: nothing was written');
    return reign;
  }

  async present(): Promise<Reign | Refused> {
    while (this.#state !== 'ended') {
      if (this.#reign?.over.aborted === false) return this.#reign;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return refused('the gateway has ended: nothing was written');
  }

  left(conversation: Conversation): void {
    this.#conversations.delete(conversation);
    if (this.#writer !== conversation) return;
    this.#writer = undefined;
    this.#reign?.end();
  }

  /**
   * The next reign is `conversation`'s. Also where nobody wrote in the present one: what another gateway acknowledged
   * since that began can be read then, or it turns out that this gateway was shut out.
   */
  #handOver(conversation: Conversation): void {
    const former = this.#writer;
    this.#writer = conversation;
    former?.cut('a newer connection writes');
    this.#reign?.end();
  }

  /** Open until the reign is over, for whatever reason, and what was under way in it is settled. */
  async #reignOver(publisher: Publisher, signal: AbortSignal): Promise<void> {
    const { newWriter, store, watch, clock, rememberedSessions = defaultRememberedSessions } = this.#options;
    const { sink, isFencing } = publisher;
    const writer = newWriter();
    const listed = this.#listed;
    const reign = new Reign({ store, watch, clock, sink, listed, isFencing, rememberedSessions, writer });
    try {
      this.#reign = reign;
      this.#become('open');
      await this.#aborts.during([reign.over, signal], whenAborted);
      this.#reign = undefined;
      this.#become('settling');
      if (signal.aborted) return;
      await reign.settle();
      if (reign.failure !== undefined) throw reign.failure;
      await patiently(() => publisher.settle(), clock, signal);
    } finally {
      this.#reign = undefined;
      await reign.close();
    }
  }

  #tell(command: string, reply: RedisReply | undefined, arrived: number): void {
    const answer = reply === undefined ? 'cut' : reply.kind === 'error' ? 'refused' : 'answered';
    this.emit('request', command, answer, this.#options.clock.elapsed() - arrived);
  }

  #failed(error: unknown): PersistenceError {
    const failure = toPersistenceError(error);
    this.emit('failed', failure);
    return failure;
  }

  #become(state: GatewayState): void {
    const from = this.#state;
    this.#state = state;
    if (state === 'open' || state === 'ended') for (const wake of this.#waiting.splice(0)) wake();
    this.emit('state', from, state);
  }
}

/** What a gateway publishes with. */
interface Publisher extends AsyncDisposable {
  readonly sink: Sink;
  /** True when nobody else publishes for the same prefix while it is not shut out. */
  readonly isFencing: boolean;
  /** Resolves once what was published is durable or never will be. Rejects with `WRITER_FENCED` after a successor came. */
  settle(): Promise<void>;
}

async function publisherOf(queue: Queue, prefix: string, signal: AbortSignal): Promise<Publisher> {
  const fenced = await queue.fencedPublisher?.(`gateway:${prefix}`, signal);
  // A publish that nothing is known of is made again until it is durable: there is nothing else to be settled.
  const nothing = async (): Promise<void> => undefined;
  if (fenced === undefined) return { sink: queue, isFencing: false, settle: nothing, [Symbol.asyncDispose]: nothing };
  return { sink: fenced, isFencing: true, settle: () => fenced.settle(), [Symbol.asyncDispose]: () => fenced.close() };
}

function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
