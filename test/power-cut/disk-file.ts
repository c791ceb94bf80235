import type { Random } from './random.ts';

/** Which of the changes that no sync covers survive the cut. */
export type Survival =
  /** None: the least that a disk may keep. */
  | { readonly kind: 'synced' }
  /** All: what a killed process leaves. */
  | { readonly kind: 'written' }
  /** Of the metadata a prefix, of each file's changes a prefix, the last write torn at any byte. */
  | { readonly kind: 'prefix'; readonly random: Random }
  /** As `prefix`, but the 4 KiB pages of unsynced writes survive one by one, and lost ones read as before or as zeros. */
  | { readonly kind: 'pages'; readonly random: Random };

/** A write of one file, or with `data` undefined its truncation to `offset`, that no sync has covered yet. */
interface PendingChange {
  readonly at: number;
  readonly offset: number;
  readonly data: Buffer | undefined;
}

const pageBytes = 4096;

/** The content of one file: what is durable, what waits for a sync, and what a reader sees meanwhile. */
export class DiskFile {
  readonly kind = 'file';
  #durable: Buffer;
  #written: Buffer;
  #length: number;
  #pending: readonly PendingChange[] = [];
  /** True while the inode is new or its length changed since its last sync: then a sync commits the journal. */
  #grown: boolean;

  constructor(durable: Buffer, isNew: boolean) {
    this.#durable = durable;
    this.#written = durable;
    this.#length = durable.length;
    this.#grown = isNew;
  }

  write(at: number, offset: number, data: Buffer): void {
    this.#pending = [...this.#pending, { at, offset, data }];
    const end = offset + data.length;
    if (end > this.#length) this.#grown = true;
    if (end > this.#written.length || this.#written === this.#durable) {
      const longer = Buffer.alloc(Math.max(2 * this.#length, end));
      this.#written.copy(longer, 0, 0, this.#length);
      this.#written = longer;
    }
    data.copy(this.#written, offset);
    this.#length = Math.max(this.#length, end);
  }

  truncate(at: number, length: number): void {
    this.#pending = [...this.#pending, { at, offset: length, data: undefined }];
    this.#grown = true;
    const cut = Buffer.alloc(length);
    this.#written.copy(cut, 0, 0, Math.min(length, this.#length));
    this.#written = cut;
    this.#length = length;
  }

  /** A sync that began at `at` has ended. True when it also committed the file system's journal up to `at`. */
  synced(at: number): boolean {
    const committed = this.#grown;
    this.#durable = applied(
      this.#durable,
      this.#pending.filter((change) => change.at < at),
    );
    this.#pending = this.#pending.filter((change) => change.at >= at);
    this.#grown = this.#pending.length > 0;
    return committed;
  }

  /** A sync that began at `at` has failed: its pages count as clean, so no later sync writes them. */
  syncFailed(at: number): void {
    this.#pending = this.#pending.filter((change) => change.at >= at || change.data === undefined);
  }

  /** What the file holds after the power is cut. */
  survivor(survival: Survival): Buffer {
    if (survival.kind === 'synced') return this.#durable;
    if (survival.kind === 'written') return this.#written.subarray(0, this.#length);
    const { random } = survival;
    const kept = this.#pending.slice(0, random.below(this.#pending.length + 1));
    const last = kept.at(-1);
    if (last?.data !== undefined) {
      kept[kept.length - 1] = { ...last, data: last.data.subarray(0, random.below(last.data.length) + 1) };
    }
    const bytes = applied(this.#durable, kept);
    if (survival.kind === 'pages') dropPages(bytes, this.#durable, random);
    return bytes;
  }
}

function applied(before: Buffer, changes: readonly PendingChange[]): Buffer {
  const room = changes.reduce((most, { offset, data }) => Math.max(most, offset + (data?.length ?? 0)), before.length);
  const bytes = Buffer.alloc(room);
  before.copy(bytes);
  let length = before.length;
  for (const { offset, data } of changes) {
    if (data === undefined) {
      bytes.fill(0, offset);
      length = offset;
    } else {
      data.copy(bytes, offset);
      length = Math.max(length, offset + data.length);
    }
  }
  return bytes.subarray(0, length);
}

function dropPages(bytes: Buffer, durable: Buffer, random: Random): void {
  for (let start = 0; start < bytes.length; start += pageBytes) {
    const end = Math.min(start + pageBytes, bytes.length);
    const before = Buffer.alloc(end - start);
    if (start < durable.length) durable.copy(before, 0, start, end);
    if (!before.equals(bytes.subarray(start, end)) && random.below(2) === 0) before.copy(bytes, start);
  }
}
