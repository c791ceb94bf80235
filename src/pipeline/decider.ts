import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Content, Delivery, Position } from '../domain/delivery.ts';
import type { SessionId } from '../domain/identifiers.ts';
import type { Message } from '../domain/message.ts';
import type { Plan, PositionStep, SourceId, StoredPosition } from '../domain/plan.ts';
import type { Knowledge, PlanResult } from '../domain/rule/knowledge.ts';
import { BatchPlanner } from '../domain/rule/plan-batch.ts';
import type { QueuedDelivery } from '../ports/queue.ts';
import type { Store } from '../ports/store.ts';
import { type GrowingKnowledge, KnowledgeLoader, type ParkedWhole, type PendingCommit } from './knowledge-loader.ts';
import { SessionCache } from './session-cache.ts';

/** Deliveries and the one atomic step that they amount to. */
export interface DecidedBatch {
  readonly deliveries: readonly QueuedDelivery[];
  /** How many of the deliveries that were to be decided it settles: the first ones. */
  readonly taken: number;
  readonly plan: Plan;
  /** What it was decided on. */
  readonly knowledge: Knowledge;
}

/** So many deliveries are read and decided at a time. */
const sliceLength = 512;

/** Decides batch after batch, each on the outcome of the one before, which may still be on its way to the store. */
export class Decider {
  readonly #store: Store;
  readonly #source: SourceId;
  readonly #cache: SessionCache;
  readonly #loader: KnowledgeLoader;
  /** Where the next batch starts, by partition: what the planned commits lead to. */
  readonly #positions = new Map<number, StoredPosition | undefined>();
  #pending: PendingCommit | undefined;

  constructor(store: Store, source: SourceId, cachedSessions: number) {
    this.#store = store;
    this.#source = source;
    this.#cache = new SessionCache(cachedSessions);
    this.#loader = new KnowledgeLoader(store, this.#cache);
  }

  /** Starts working on the partitions, at the positions that the store holds. */
  async assign(partitions: readonly number[]): Promise<ReadonlyMap<number, StoredPosition | undefined>> {
    const stored = await this.#store.readPositions(this.#source);
    for (const partition of partitions) this.#positions.set(partition, stored.get(partition));
    return new Map(partitions.map((partition) => [partition, stored.get(partition)]));
  }

  /** The partitions are somebody else's now, and so may be their sessions. */
  release(partitions: readonly number[]): void {
    for (const partition of partitions) this.#positions.delete(partition);
    this.#cache.clear();
  }

  /** The partitions that are worked on. */
  get partitions(): readonly number[] {
    return [...this.#positions.keys()];
  }

  /** The offset that the partition's next delivery has, 0 before the first. */
  nextOffset(partition: number): number {
    return this.#positions.get(partition)?.next ?? 0;
  }

  /** Decides deliveries from the first on; a batch that drains very much may leave the last ones undecided. */
  async decide(deliveries: readonly QueuedDelivery[]): Promise<DecidedBatch> {
    const parked: ParkedWhole = new Map();
    // Nearly always all of them are commands.
    const commands = deliveries.some(isPassed) ? deliveries.filter((delivery) => !isPassed(delivery)) : deliveries;
    for (;;) {
      const knowledge = this.#loader.begin(parked, this.#pending);
      const result = await plan(commands, knowledge);
      if (result.kind === 'missing') await this.#loader.loadParked(result.parked, knowledge, parked, this.#pending);
      else {
        const firstLeft = commands[result.decided];
        const taken = firstLeft === undefined ? deliveries.length : deliveries.indexOf(firstLeft);
        const decided = taken === deliveries.length ? deliveries : deliveries.slice(0, taken);
        return { deliveries: decided, taken, plan: { ...result.plan, positions: this.#steps(decided) }, knowledge };
      }
    }
  }

  /** From here on batches are decided on what `batch` leads to; its commit is `over` some time later. */
  advance({ plan, knowledge }: DecidedBatch, over: Promise<unknown>): void {
    for (const { partition, to } of plan.positions) this.#positions.set(partition, to);
    this.#loader.advance(plan.changes, knowledge);
    const sessions = new Set<SessionId>(plan.changes.map((change) => change.session));
    this.#pending = { sessions, over };
  }

  /**
   * Goes back to what the store holds, because a session was changed by somebody else; the planned steps that are
   * `undone` did not come about. False when a partition stands elsewhere than this worker has left it: from there its
   * deliveries would lead back.
   */
  async rewind(undone: readonly PositionStep[]): Promise<boolean> {
    const left = new Map(this.#positions);
    for (const { partition, from } of undone) left.set(partition, from);
    this.#cache.clear();
    this.#pending = undefined;
    const stored = await this.assign([...this.#positions.keys()]);
    return [...stored].every(([partition, position]) => {
      const expected = left.get(partition);
      return position?.next === expected?.next && position?.digest === expected?.digest;
    });
  }

  #steps(deliveries: readonly QueuedDelivery[]): readonly PositionStep[] {
    const last = new Map<number, QueuedDelivery>();
    for (const delivery of deliveries) last.set(delivery.position.partition, delivery);
    return [...last].map(([partition, delivery]) => ({
      source: this.#source,
      partition,
      from: this.#positions.get(partition),
      to: { next: delivery.position.offset + 1, digest: delivery.recordDigest() },
    }));
  }
}

/** Slice by slice: what was read of a slice dies young, before garbage collection copies it. */
async function plan(commands: readonly QueuedDelivery[], knowledge: GrowingKnowledge): Promise<PlanResult> {
  const planner = new BatchPlanner(knowledge);
  for (let start = 0; start < commands.length && !planner.isFull; start += sliceLength) {
    const slice = commands.slice(start, start + sliceLength).map((delivery) => new ReadDelivery(delivery));
    await knowledge.learn(slice);
    planner.decide(slice);
    // What the queue sends next comes in meanwhile.
    await nextTurn();
  }
  return planner.result();
}

function isPassed(delivery: QueuedDelivery): boolean {
  return delivery.isPassed === true;
}

/** A delivery whose content was read, once: queues read it anew whenever they are asked. */
class ReadDelivery implements Delivery {
  readonly content: Content;
  readonly #delivery: QueuedDelivery;

  constructor(delivery: QueuedDelivery) {
    this.content = delivery.content;
    this.#delivery = delivery;
  }

  get position(): Position {
    return this.#delivery.position;
  }

  message(): Message {
    return this.#delivery.message();
  }
}
