import type { StoreTotals } from '../domain/totals.ts';
import type { GatewayState, PipelineState } from './telemetry.ts';

export interface PartitionStatus {
  readonly partition: number;
  /** First offset held, next offset to be published, and next one to be persisted. */
  readonly start: number;
  readonly end: number;
  readonly persisted: number;
}

/** Which store it is. */
export interface StoreDocument {
  readonly kind: string;
  readonly id: string;
  readonly layout_version: number;
}

/** What a store holds, see {@link StoreTotals}. */
export interface TotalsDocument {
  readonly sessions: number;
  readonly halted: number;
  readonly refused: number;
  readonly waiting: number;
  readonly parked_commands: number;
  readonly parked_bytes: number;
  readonly dead_letters: StoreTotals['deadLetters'];
  readonly decisions: number;
}

/** What a macp-runtime writes to in place of its Redis. */
export interface GatewayStatus {
  /** Where it listens; null before it does. */
  readonly address: string | null;
  readonly state: GatewayState;
}

export interface ServiceStatus {
  readonly version: string;
  /** What runs: `start`, `serve`, `worker`, `gateway`, or `none` when nobody has the data open but the one who asks. */
  readonly mode: 'start' | 'serve' | 'worker' | 'gateway' | 'none';
  readonly pid: number | null;
  readonly started_at: string | null;
  readonly ready: boolean;
  /** Why it is not ready. */
  readonly unready_because: string | null;
  readonly queue: {
    readonly source: string;
    readonly capabilities: {
      readonly durable: boolean;
      readonly replayable: boolean;
      readonly positions: boolean;
      readonly fences_writers: boolean;
      readonly knows_consumed: boolean;
    };
    readonly partitions: readonly PartitionStatus[];
    /** Commands that are durable in the queue and not yet persisted. */
    readonly lag: number;
  } | null;
  readonly store: StoreDocument & {
    readonly capabilities: {
      readonly durable: boolean;
      readonly shared: boolean;
      readonly atomic_positions: boolean;
      readonly layout: 'own' | 'upstream';
      readonly backup: boolean;
    };
  };
  readonly totals: TotalsDocument;
  readonly worker: {
    readonly state: PipelineState;
    readonly deliveries: number;
    readonly commits: number;
    readonly dead_letters: number;
    /** Deliveries a second, over the last minute at most. */
    readonly rate: number;
    /** Milliseconds since the last commit; null before the first. */
    readonly since_commit_ms: number | null;
    readonly memory_bytes: number;
  } | null;
  readonly gateway: GatewayStatus | null;
}

export interface BackupSummary {
  readonly directory: string;
  readonly store: StoreDocument;
  readonly records: number;
  readonly bytes: number;
}
