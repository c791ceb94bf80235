import type { Counts } from './counts.ts';

/** What the harness uses of a worker's log lines. */
interface Line {
  readonly msg: string;
  readonly deliveries?: number;
  readonly duplicates?: number;
  readonly partitions?: readonly number[];
  readonly offsets?: Readonly<Record<string, readonly [number, number]>>;
  readonly next?: Readonly<Record<string, number>>;
}

/** What one worker process has said so far. */
export class WorkerLog {
  /** The partitions that it says it works on. */
  partitions: ReadonlySet<number> = new Set();
  /** Deliveries that it has committed. */
  committed = 0;
  /** Commits that it made. */
  batches = 0;
  isOpened = false;
}

/** Goes through the logs of all workers of a run. */
export class WorkerLogs {
  readonly #counts: Counts;
  /** By partition, the offset behind the last one that any worker was given. */
  readonly #taken = new Map<number, number>();
  /** By partition, the offset behind the last one that is committed, as far as anybody has said. */
  readonly persisted = new Map<number, number>();
  /** Deliveries that were committed, as far as anybody has said. */
  committed = 0;

  constructor(counts: Counts) {
    this.#counts = counts;
  }

  note(worker: WorkerLog, text: string): void {
    if (!text.startsWith('{')) return;
    const line: Line = JSON.parse(text);
    switch (line.msg) {
      case 'worker opened':
        worker.isOpened = true;
        break;
      case 'taken':
        this.#noteTaken(line);
        break;
      case 'committed':
        this.#noteCommitted(worker, line);
        break;
      case 'working on these partitions':
        worker.partitions = new Set([...worker.partitions, ...(line.partitions ?? [])]);
        break;
      case 'working on these partitions no more':
        worker.partitions = new Set([...worker.partitions].filter((one) => line.partitions?.includes(one) !== true));
        break;
      case 'the store is not ready; trying again':
        this.#counts.retries += 1;
        break;
      case 'another worker was faster, or the queue gave up: starting again':
        this.#counts.outrun += 1;
        worker.partitions = new Set();
        break;
      default:
    }
  }

  #noteTaken({ offsets = {} }: Line): void {
    for (const [partition, [first, last]] of Object.entries(offsets)) {
      const before = this.#taken.get(Number(partition)) ?? 0;
      this.#counts.redelivered += Math.max(0, Math.min(before, last + 1) - first);
      this.#taken.set(Number(partition), Math.max(before, last + 1));
    }
  }

  #noteCommitted(worker: WorkerLog, { deliveries = 0, duplicates = 0, next = {} }: Line): void {
    worker.committed += deliveries;
    worker.batches += 1;
    this.committed += deliveries;
    this.#counts.duplicates += duplicates;
    for (const [partition, offset] of Object.entries(next)) {
      this.persisted.set(Number(partition), Math.max(offset, this.persisted.get(Number(partition)) ?? 0));
    }
  }
}
