import { PersistenceError } from '../domain/errors.ts';
import type { SourceId, StoredPosition } from '../domain/plan.ts';
import type { PipelineSource } from '../pipeline/pipeline.ts';
import type {
  AssignmentHandler,
  BatchSource,
  ContinuedSource,
  PartitionBounds,
  ReplaySource,
  TakeLimits,
} from '../ports/queue.ts';
import { ReplayedBatches } from './replayed-batches.ts';
import { type Selection, selectedSource } from './selection.ts';

/** Where a replay ends in its partitions, where that is before their ends. */
export interface ReplayEnd {
  /** By partition the first offset not to be replayed any more; what the source goes on from is replayed whole. */
  readonly offsets?: ReadonlyMap<number, number> | undefined;
  /** In milliseconds since 1970: each partition ends before its first record at or after this time. */
  readonly time?: number | undefined;
}

export interface BoundedReplayOptions {
  readonly source: ReplaySource;
  /** What it held when the replay began: what comes later is no part of it. */
  readonly bounds: ReadonlyMap<number, PartitionBounds>;
  readonly until: ReplayEnd;
  /** Undefined: all sessions. */
  readonly selection: Selection | undefined;
  readonly limits: TakeLimits;
}

/** What a source holds at one moment, for a pipeline to work through: no group, no acknowledgements, and an end. */
export class BoundedReplay implements PipelineSource {
  readonly source: SourceId;
  readonly continues: ContinuedSource | undefined;
  /** Whoever was to be alarmed was so when the commands came for the first time. */
  readonly deadLetterCopies = undefined;
  readonly #options: BoundedReplayOptions;
  /** By partition the offset behind what was handed out. */
  readonly #handedOut = new Map<number, number>();
  #isBegun = false;
  #isOver = false;

  constructor(options: BoundedReplayOptions) {
    const { source, selection } = options;
    const named = (whole: SourceId): SourceId => (selection === undefined ? whole : selectedSource(whole, selection));
    this.source = named(source.source);
    this.continues = source.continues && { ...source.continues, source: named(source.continues.source) };
    this.#options = options;
  }

  /** True once everything was handed out. */
  get isOver(): boolean {
    return this.#isOver;
  }

  async bounds(): Promise<ReadonlyMap<number, PartitionBounds>> {
    return this.#options.bounds;
  }

  async consume(handler: AssignmentHandler, signal: AbortSignal): Promise<BatchSource> {
    const { source, until, selection, limits } = this.#options;
    const starts = await handler.assigned([...this.#options.bounds.keys()]);
    if (this.#isBegun) this.#refuseDisplaced(starts);
    this.#isBegun = true;
    this.#isOver = false;
    const from = new Map<number, StoredPosition>();
    for (const [partition, position] of starts) if (position !== undefined) from.set(partition, position);
    const batches = source.replay({ from, ends: this.#ends(), before: until.time, limits, signal });
    return new ReplayedBatches(batches, selection, {
      onHandedOut: ({ partition, offset }) => this.#handedOut.set(partition, offset + 1),
      onOver: () => {
        this.#isOver = true;
      },
    });
  }

  #ends(): ReadonlyMap<number, number> {
    const { bounds, until } = this.#options;
    return new Map(
      [...bounds].map(([partition, { end }]) => [partition, Math.min(end, until.offsets?.get(partition) ?? end)]),
    );
  }

  /** Beginning again where the store stands leads on only while nobody else moves it. */
  #refuseDisplaced(starts: ReadonlyMap<number, StoredPosition | undefined>): void {
    for (const [partition, position] of starts) {
      if ((position?.next ?? 0) <= (this.#handedOut.get(partition) ?? 0)) continue;
      throw new PersistenceError(
        'TARGET_IN_USE',
        `somebody else has gone on with partition ${partition} of ${this.source} in this store`,
      );
    }
  }
}
