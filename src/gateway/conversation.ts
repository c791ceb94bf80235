import { setMaxListeners } from 'node:events';
import { toPersistenceError } from '../domain/errors.ts';
import type { RedisAnswer, RedisConversation, RedisReply, RedisRequest } from '../ports/redis-peer.ts';
import { Turns } from '../turns/turns.ts';
import { Attempt } from './attempt.ts';
import { Deletion } from './deletion.ts';
import type { Keys } from './keys.ts';
import { LogChunks, type OpenLogs } from './log-chunks.ts';
import { type DeletionPart, isWrite, type Read, type Refused, refused, type Write } from './operations.ts';
import { readRequest } from './read-request.ts';
import { deletionOf, readTransaction } from './read-transaction.ts';
import type { Reads } from './reads.ts';
import type { Reign } from './reign.ts';
import { failure, repliesTo, sessionSet } from './replies.ts';
import type { TimeLimit } from './time-limit.ts';
import type { Workload } from './workload.ts';
import type { WriteOutcome } from './write-outcome.ts';

/** What a conversation asks of the gateway that it is held with. */
export interface ConversationHost {
  /** The reign that is the conversation's own, once there is one: whoever wrote before is shut out. */
  own(conversation: Conversation): Promise<Reign | Refused>;
  /** Whatever reign there is, once everything that was written in those before can be read. */
  present(): Promise<Reign | Refused>;
  /** The conversation has ended. Called once. */
  left(conversation: Conversation): void;
}

export interface ConversationOptions {
  readonly host: ConversationHost;
  readonly keys: Keys;
  readonly reads: Reads;
  readonly timeLimit: TimeLimit;
  /** Of all conversations together. */
  readonly workload: Workload;
  /** Ends the connection at once. */
  cut(reason: string): void;
  /** Told of every request; `undefined`: no answer was given. */
  onAnswered(command: string, reply: RedisReply | undefined, arrived: number): void;
}

/** One reply for each request that was put together, one error for all, or undefined: none may be given. */
type Replies = readonly RedisReply[] | RedisReply | undefined;

const notInTime = 'there was no answer in time: nothing was written';

const tooMuch = refused('too much is on its way: nothing was done, try again');

const noSrem =
  'a DEL that no SREM of the same session follows in the same pipeline: a log is replaced by MULTI, DEL, RPUSH, EXEC, and a session deleted by DEL and SREM, as macp-runtime does from 0.13.0 on; nothing was changed';

/** What one connection asks for, in the order in which it asks. */
export class Conversation implements RedisConversation {
  readonly #options: ConversationOptions;
  readonly #turns = new Turns();
  readonly #openLogs: OpenLogs = new Set();
  readonly #ending = new AbortController();
  #deletion: Deletion | undefined;
  /** Claims what was listed: done once the client goes on to read, because then it has got the list. */
  #claimListed: (() => void) | undefined;

  constructor(options: ConversationOptions) {
    this.#options = options;
  }

  request(request: RedisRequest): Promise<RedisAnswer | undefined> {
    const { keys, workload } = this.#options;
    const operation = workload.hasRoomFor(request) ? readRequest(request, keys) : tooMuch;
    if (operation.kind === 'DEL' || operation.kind === 'SREM') return this.#delete(operation, request);
    this.#abandonDeletion();
    return this.#inTime(request, new Attempt(), async (attempt) => {
      if (operation.kind === 'refused') return failure(operation.because);
      if (!isWrite(operation)) return await this.#read(operation, attempt);
      const replies = await this.#write(operation, attempt);
      return replies !== undefined && 'kind' in replies ? replies : replies?.[0];
    });
  }

  transaction(requests: readonly RedisRequest[]): Promise<RedisAnswer | undefined> {
    this.#abandonDeletion();
    const [first] = requests;
    if (first === undefined) return Promise.resolve({ kind: 'array', items: [] });
    const { keys, workload } = this.#options;
    const given = requests.flatMap((request) => request.arguments);
    // Not the arguments of one call: there may be more of them than a call can have.
    const arrived = requests.reduce((earliest, request) => Math.min(earliest, request.arrived), first.arrived);
    const whole: RedisRequest = { command: 'EXEC', arguments: given, arrived };
    const write = workload.hasRoomFor(whole) ? readTransaction(requests, keys) : tooMuch;
    return this.#inTime(whole, new Attempt(), async (attempt) => {
      if (write.kind === 'refused') return failure(write.because);
      const replies = await this.#write(write, attempt);
      return replies === undefined || 'kind' in replies ? replies : { kind: 'array', items: replies };
    });
  }

  /** Ends the connection; nothing of it is answered any more. Idempotent. */
  cut(reason: string): void {
    if (this.#ending.signal.aborted) return;
    this.closed();
    this.#options.cut(reason);
  }

  closed(): void {
    if (this.#ending.signal.aborted) return;
    this.#ending.abort('the connection is gone');
    this.#deletion?.end(undefined);
    for (const log of this.#openLogs) void discardLog(log);
    this.#options.host.left(this);
  }

  /** The parts of a deletion are answered together, at its SREM. */
  #delete(part: DeletionPart, request: RedisRequest): Promise<RedisAnswer | undefined> {
    if (this.#deletion?.takes(part) === false) this.#abandonDeletion();
    this.#deletion ??= new Deletion();
    const deletion = this.#deletion;
    const because = (): string => (this.#deletion === deletion ? noSrem : notInTime);
    const reply = this.#inTime(request, deletion.attempt, () => deletion.add(part), because);
    if (part.kind !== 'SREM') return reply;
    this.#deletion = undefined;
    const write = deletionOf(deletion.parts);
    if (write === undefined) deletion.end(failure(`SREM of ${noDel}`));
    else void this.#finishDeletion(write, deletion);
    return reply;
  }

  async #finishDeletion(write: Write, deletion: Deletion): Promise<void> {
    const replies = this.#write(write, deletion.attempt);
    deletion.end(await replies.catch((error: unknown) => this.#failed(deletion.attempt, error)));
  }

  #abandonDeletion(): void {
    this.#deletion?.attempt.giveUp();
    this.#deletion?.end(failure(noSrem));
    this.#deletion = undefined;
  }

  async #write(write: Write, attempt: Attempt): Promise<Replies> {
    const { host } = this.#options;
    // Wrapped: the next request does not wait for the outcome of this one.
    const { outcome } = await this.#turns.take(
      async (): Promise<{ readonly outcome: Promise<WriteOutcome> | Refused }> => {
        const reign = await host.own(this);
        return { outcome: 'kind' in reign ? reign : reign.write(write, attempt) };
      },
    );
    const became = await outcome;
    if (became.kind === 'written') return repliesTo(write, became);
    if (became.kind === 'refused') return failure(became.because);
    this.cut(`it is not known whether a write is durable: ${became.because}`);
    return undefined;
  }

  async #read(read: Read, attempt: Attempt): Promise<RedisReply> {
    const { host, reads } = this.#options;
    const { reign, reached } = await this.#turns.take(async () => {
      const reign = await (read.kind === 'list' ? host.own(this) : host.present());
      return { reign, reached: 'kind' in reign ? undefined : reachedFor(read, reign, attempt.whenGivenUp) };
    });
    if ('kind' in reign) return failure(reign.because);
    await reached;
    if (read.kind !== 'list') {
      this.#claimListed?.();
      this.#claimListed = undefined;
      return await reads.answer(read, this.#openLogs);
    }
    const sessions = await reign.sessions();
    // A runtime lists the sessions when it starts, and then reads and saves every one of them.
    if (!attempt.isGivenUp) this.#claimListed = () => void reign.claimAhead(sessions);
    return sessionSet(sessions);
  }

  /** What `work` answers, unless it is late: then an error if it is certain that nothing was written, else nothing. */
  async #inTime(
    request: RedisRequest,
    attempt: Attempt,
    work: (attempt: Attempt) => Promise<RedisReply | undefined>,
    ifNothingWritten: () => string = () => notInTime,
  ): Promise<RedisAnswer | undefined> {
    const { timeLimit, workload, onAnswered } = this.#options;
    const { command, arrived } = request;
    const worked = workload.during(request, work(attempt)).catch((error: unknown) => this.#failed(attempt, error));
    const reply = await timeLimit.within(arrived, worked, () => this.#late(attempt, ifNothingWritten));
    const given = this.#ending.signal.aborted ? undefined : reply;
    void worked.then((late) => (late === given ? undefined : discard(late)));
    onAnswered(command, given, arrived);
    // That something is written is told in time or never, whatever holds the answer up on its way to the client.
    return given !== undefined && attempt.isSent ? { ...given, until: timeLimit.endOf(arrived) } : given;
  }

  #late(attempt: Attempt, ifNothingWritten: () => string): RedisReply | undefined {
    if (attempt.giveUp()) return failure(ifNothingWritten());
    this.cut('it is not known in time whether a write is durable');
    return undefined;
  }

  /** What failed before anything was sent has changed nothing. */
  #failed(attempt: Attempt, error: unknown): RedisReply | undefined {
    const { code, message } = toPersistenceError(error);
    if (attempt.giveUp()) return failure(`${code}: ${message}`);
    this.cut(`it is not known whether a write is durable: ${message}`);
    return undefined;
  }
}

/** Lets go of what an answer that is not given holds. */
async function discard(reply: RedisReply | undefined): Promise<void> {
  if (reply?.kind === 'stream' && reply.chunks instanceof LogChunks) await discardLog(reply.chunks);
}

/** Whatever a store says of a view that it was to close changes nothing for whoever is gone. */
async function discardLog(log: LogChunks): Promise<void> {
  await log.return().catch(() => undefined);
}

async function reachedFor(read: Read, reign: Reign, signal: AbortSignal): Promise<void> {
  // As many wait with it as there are sessions to wait for.
  setMaxListeners(0, signal);
  if (read.kind === 'list') return await reign.allReached(signal);
  const keys = read.kind === 'exists' ? read.keys : [read];
  const reached = keys.map((key) => ('session' in key ? reign.reached(key.session, signal) : reign.allReached(signal)));
  await Promise.all(reached);
}

const noDel =
  'a session whose DELs did not come before it in the same pipeline, of its snapshot and its log at least: nothing was changed';
