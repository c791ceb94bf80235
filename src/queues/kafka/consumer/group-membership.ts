import { PersistenceError } from '../../../domain/errors.ts';
import type { FilledStore } from '../../../ports/queue.ts';
import type { Outage } from '../../outage.ts';
import { pauseBefore } from '../../patience.ts';
import type { GroupMember, KafkaBroker } from '../connection/cluster.ts';
import { brokerError, kafkaFailure } from '../connection/failures.ts';
import type { ConnectionParts } from './broker-connections.ts';
import { GroupCoordinator } from './group-coordinator.ts';
import { assignorName, decodeAssignment, encodeSubscription } from './group-protocol.ts';
import { shareOut } from './share-out.ts';
import type { KafkaTopic } from './topic-brokers.ts';

/** Who consumes, with whom, and how soon the group takes a silent member for dead. Times in milliseconds. */
export interface GroupOptions {
  readonly groupId: string;
  readonly sessionTimeout: number;
  readonly heartbeatInterval: number;
  /** How long members have to join again when the group changes. */
  readonly rebalanceTimeout: number;
}

/** Whoever works on what the group gives to this member. */
export interface GroupListener {
  /** What it works on: what it was given, and what it has not finished giving up yet. */
  owned(): readonly number[];
  /** From now on it is to work on exactly these. */
  assigned(partitions: readonly number[]): void;
  /** The group has given everything of this member to others. */
  lost(): void;
  /** The coordinator has answered: see {@link GroupMembership.isConfirmed}. */
  confirmed(): void;
  /** The membership is over, for a reason that no retry mends. */
  failed(error: PersistenceError): void;
}

export interface MembershipParts extends Omit<ConnectionParts, 'topicName'> {
  readonly topic: KafkaTopic;
  readonly fills: FilledStore | undefined;
  readonly outage: Outage;
  readonly listener: GroupListener;
}

/**
 * The life of a membership:
 *
 *     idle ──start()──▶ joining ──assigned──▶ stable ──the group changes, rejoin(), expelled──▶ joining
 *     joining, stable ──close()──▶ left
 *     joining, stable ──an error that no retry mends──▶ failed
 *
 * In `joining` and `stable` alike the coordinator may be away: it is looked for again and again, over new connections.
 */
export type MembershipState = 'idle' | 'joining' | 'stable' | 'left' | 'failed';

const nobody = '';
const neverAssigned = -1;
const part = 'group';

/**
 * One member of a consumer group (Kafka's classic protocol: join, sync, heartbeat, leave), with cooperative rebalancing
 * (KIP-429): a member that joins again keeps working on what it owns, and gives up afterwards what the group wants for
 * others. Any member may be the group's leader, which shares out the partitions.
 */
export class GroupMembership {
  readonly #options: GroupOptions;
  readonly #parts: MembershipParts;
  readonly #coordinator: GroupCoordinator;
  readonly #ended = new AbortController();
  #state: MembershipState = 'idle';
  #memberId = nobody;
  #generation = neverAssigned;
  /** When the latest request was sent that the coordinator answered. */
  #confirmedAt = 0;
  #wake = new AbortController();
  #wantsToRejoin = false;
  #isPassing = false;
  #isJoining = false;
  #running: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(options: GroupOptions, parts: MembershipParts) {
    this.#options = options;
    this.#parts = parts;
    this.#coordinator = new GroupCoordinator(options.groupId, { ...parts, topicName: parts.topic.name });
  }

  get state(): MembershipState {
    return this.#state;
  }

  /** False when the coordinator may have given this member up: it has not answered for that long. */
  get isConfirmed(): boolean {
    const { sessionTimeout, rebalanceTimeout } = this.#options;
    // While this member joins the coordinator waits for the others, and knows that it waits as well.
    const longest = this.#state === 'joining' ? rebalanceTimeout : sessionTimeout;
    // Not the elapsed time: that stands still in a machine that sleeps, and the coordinator's does not.
    return this.#parts.clock.now() - this.#confirmedAt <= longest;
  }

  start(): void {
    if (this.#state !== 'idle') throw new TypeError('a membership starts once');
    this.#enter('joining');
    this.#running = this.#run();
  }

  /** Joins again, because something was given up that others may have now. */
  rejoin(): void {
    this.#wantsToRejoin = true;
    this.#wake.abort();
  }

  /**
   * Tells the group how far partitions are consumed: by partition the next offset. Only Kafka's tools ask for that, so
   * it is not insisted on. Resolves with whether it was told, within so many milliseconds.
   */
  async commitOffsets(next: ReadonlyMap<number, number>, within: number): Promise<boolean> {
    if (this.#state !== 'stable' || next.size === 0) return false;
    const partitions = [...next].map(([partition, offset]) => ({ partition, offset: String(offset) }));
    const topics = [{ topic: this.#parts.topic.name, partitions }];
    try {
      await this.#ask('committing offsets', (broker) => broker.offsetCommit({ ...this.#member(), topics }), within);
      return true;
    } catch {
      return false;
    }
  }

  /** Leaves the group, so that it need not wait for the session to end; for two seconds at most. Idempotent. */
  close(): Promise<void> {
    this.#enter('left');
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#end();
    // What is asked now would be answered only after the join that is under way.
    if (this.#isJoining) await this.#coordinator.abandon();
    if (this.#memberId !== nobody) await this.#coordinator.leave(this.#memberId);
    await this.#coordinator.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.#ended.signal.aborted; ) {
      try {
        if (this.#state === 'joining') await this.#join();
        else await this.#beat();
        failures = 0;
        this.#parts.outage.over(part);
        if (this.#wantsToRejoin) this.#enter('joining');
        else await this.#pause(this.#heartbeatInterval);
        if (this.#wantsToRejoin) this.#enter('joining');
      } catch (error) {
        if (this.#ended.signal.aborted) return;
        failures += 1;
        if (this.#recover(error, failures)) await this.#pause(pauseBefore(failures));
      }
    }
  }

  /** What is passed from one member to another is free sooner than a heartbeat comes around. */
  get #heartbeatInterval(): number {
    const { heartbeatInterval } = this.#options;
    return this.#isPassing ? heartbeatInterval / 4 : heartbeatInterval;
  }

  async #join(): Promise<void> {
    const { groupId, sessionTimeout, rebalanceTimeout } = this.#options;
    const { clock, topic, fills, listener } = this.#parts;
    this.#wantsToRejoin = false;
    this.#isJoining = true;
    try {
      // Known before the long wait for the others, so that it can leave the group meanwhile.
      if (this.#memberId === nobody) this.#memberId = await this.#newMemberId();
      const said = { topic: topic.name, owned: listener.owned(), generation: this.#generation, fills };
      const groupProtocols = [{ name: assignorName, metadata: encodeSubscription(said) }];
      const request = { groupId, memberId: this.#memberId, sessionTimeout, rebalanceTimeout, groupProtocols };
      // The coordinator answers once all members have joined, and knows by itself how long that may take.
      const within = rebalanceTimeout + this.#parts.requestTimeout;
      const joined = await this.#ask('joining', (broker) => broker.joinGroup(request), within);
      const { memberId, generationId } = joined;
      this.#memberId = memberId;
      const groupAssignment = joined.leaderId === memberId ? shareOut(joined, topic) : [];
      const asked = clock.now();
      const { memberAssignment } = await this.#ask(
        'joining',
        (broker) => broker.syncGroup({ groupId, memberId, generationId, groupAssignment }),
        within,
      );
      if (this.#ended.signal.aborted) return;
      const { partitions, refusedFor, isPassing } = decodeAssignment(memberAssignment);
      if (refusedFor !== undefined) throw refusal(groupId, fills, refusedFor);
      this.#confirm(asked);
      this.#generation = generationId;
      this.#isPassing = isPassing;
      this.#enter('stable');
      listener.assigned(partitions);
    } finally {
      this.#isJoining = false;
    }
  }

  async #newMemberId(): Promise<string> {
    return (await this.#coordinator.newMemberId(this.#options, { signal: this.#ended.signal })) ?? nobody;
  }

  async #beat(): Promise<void> {
    const { clock, requestTimeout } = this.#parts;
    const asked = clock.now();
    // Soon enough that another one can be sent before the session ends.
    const within = Math.min(requestTimeout, this.#options.sessionTimeout / 3);
    await this.#ask('sending a heartbeat', (broker) => broker.heartbeat(this.#member()), within);
    this.#confirm(asked);
  }

  /** Goes on as far as it can after a failure. True when that is better tried a little later. */
  #recover(error: unknown, failures: number): boolean {
    const { listener, outage } = this.#parts;
    const name = brokerError(error);
    if (name === 'REBALANCE_IN_PROGRESS') {
      this.#enter('joining');
      // The group may change again and again before this member gets anything.
      return failures > 1;
    }
    if (name === 'UNKNOWN_MEMBER_ID' || name === 'ILLEGAL_GENERATION') {
      if (name === 'UNKNOWN_MEMBER_ID') this.#memberId = nobody;
      this.#generation = neverAssigned;
      this.#enter('joining');
      listener.lost();
      return failures > 1;
    }
    const failure = this.#failureOf(error, name);
    if (failure.retryable) {
      outage.failed(part, failure);
      return true;
    }
    this.#enter('failed');
    this.#end();
    listener.failed(failure);
    return false;
  }

  #failureOf(error: unknown, name: string | undefined): PersistenceError {
    const { groupId } = this.#options;
    if (name === 'INCONSISTENT_GROUP_PROTOCOL') {
      const message = `another program consumes with the group id ${groupId}: give the workers a group of their own`;
      return new PersistenceError('GROUP_CONFLICT', message, { cause: error });
    }
    if (name === 'UNKNOWN_TOPIC_OR_PARTITION') {
      // A broker that has just started may not know it yet; whether it is gone for good is for others to notice.
      return new PersistenceError('QUEUE_UNAVAILABLE', `the topic of group ${groupId} is not known`, { cause: error });
    }
    return kafkaFailure(error, `taking part in group ${groupId}`, 'Read');
  }

  #ask<Answer>(what: string, question: (broker: KafkaBroker) => Promise<Answer>, within?: number): Promise<Answer> {
    return this.#coordinator.ask(what, question, { within, signal: this.#ended.signal });
  }

  #member(): GroupMember {
    return { groupId: this.#options.groupId, groupGenerationId: this.#generation, memberId: this.#memberId };
  }

  /** Waits, unless somebody wants something first. */
  async #pause(milliseconds: number): Promise<void> {
    this.#wake = new AbortController();
    if (this.#ended.signal.aborted || this.#wantsToRejoin) return;
    await this.#parts.clock.sleep(milliseconds, this.#wake.signal).catch(() => undefined);
  }

  /** The coordinator knows this member, or did when it was asked: the answer may have waited for a process that slept. */
  #confirm(asked: number): void {
    this.#confirmedAt = asked;
    this.#parts.listener.confirmed();
  }

  #end(): void {
    this.#ended.abort();
    this.#wake.abort();
    this.#parts.outage.over(part);
  }

  #enter(state: MembershipState): void {
    if (this.#state !== 'left' && this.#state !== 'failed') this.#state = state;
  }
}

function refusal(groupId: string, ours: FilledStore | undefined, theirs: FilledStore): PersistenceError {
  return new PersistenceError(
    'GROUP_CONFLICT',
    `the workers of group ${groupId} fill store ${theirs.id}, and this one fills store ${ours?.id ?? 'unknown'}: each store ` +
      'would get a part of the sessions only; give this worker the same store, or a group of its own',
  );
}
