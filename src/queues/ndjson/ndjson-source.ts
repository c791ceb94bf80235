import { digestHex } from '../../domain/digest.ts';
import { PersistenceError } from '../../domain/errors.ts';
import type { SourceId } from '../../domain/plan.ts';
import type { FileSystem, OpenFile } from '../../ports/file-system.ts';
import type { PartitionBounds, QueuedDelivery, ReplayOptions, ReplaySource } from '../../ports/queue.ts';
import { lostHistory } from '../lost-history.ts';
import { lineBefore, readLines } from './file-lines.ts';
import { LineDelivery, lineDigest, timeOf } from './line-delivery.ts';

/** A file is one partition. */
const partition = 0;

export interface NdjsonOptions {
  readonly file: string;
  readonly fileSystem: Pick<FileSystem, 'open'>;
}

/**
 * Opens a file of events in structured mode, one a line, to be replayed. An offset is that of the last byte of a line,
 * its line feed where it has one, so that the next line begins behind it. The source is named after the first line: a
 * file that more was appended to is the same one. Throws `INVALID_INPUT` when it cannot be read.
 */
export async function openNdjson({ file, fileSystem }: NdjsonOptions): Promise<NdjsonSource> {
  let opened: OpenFile | undefined;
  try {
    opened = await fileSystem.open(file, 'read');
    const { value: first } = await readLines(opened, 0, await opened.size()).next();
    const name = first === undefined ? 'empty' : digestHex(lineDigest(first));
    return new NdjsonSource(`ndjson:${name}` as SourceId, opened);
  } catch (cause) {
    await opened?.close();
    if (cause instanceof PersistenceError) throw cause;
    throw new PersistenceError('INVALID_INPUT', `${file} cannot be read`, { cause });
  }
}

/** See {@link openNdjson}. */
export class NdjsonSource implements ReplaySource {
  readonly source: SourceId;
  readonly #file: OpenFile;
  #closing: Promise<void> | undefined;

  constructor(source: SourceId, file: OpenFile) {
    this.source = source;
    this.#file = file;
  }

  async bounds(): Promise<ReadonlyMap<number, PartitionBounds>> {
    return new Map([[partition, { start: 0, end: await this.#file.size() }]]);
  }

  async *replay(options: ReplayOptions): AsyncGenerator<readonly QueuedDelivery[]> {
    const { limits, signal } = options;
    const size = await this.#file.size();
    const start = await this.#start(options, size);
    const end = Math.min(size, options.ends?.get(partition) ?? size);
    let batch: QueuedDelivery[] = [];
    let bytes = 0;
    for await (const line of readLines(this.#file, start, end)) {
      if (signal?.aborted) throw new PersistenceError('ABORTED', 'the replay was given up');
      if (options.before !== undefined && timeOf(line) >= options.before) break;
      if (batch.length >= limits.deliveries || (batch.length > 0 && bytes + line.bytes.length > limits.bytes)) {
        yield batch;
        [batch, bytes] = [[], 0];
      }
      batch.push(new LineDelivery(line, { partition, offset: line.end - 1 }));
      bytes += line.bytes.length;
    }
    if (batch.length > 0) yield batch;
  }

  close(): Promise<void> {
    this.#closing ??= this.#file.close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #start({ from }: ReplayOptions, size: number): Promise<number> {
    const start = from?.get(partition);
    if (start === undefined) return 0;
    const isHeld = start.next <= size;
    const before = isHeld ? await lineBefore(this.#file, start.next) : undefined;
    const isKnown = start.digest === undefined || (before !== undefined && lineDigest(before) === start.digest);
    if (isHeld && isKnown) return start.next;
    throw lostHistory(partition, start.next, { start: 0, end: size }, isHeld);
  }
}
