import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { isPersistenceError, PersistenceError } from '../../domain/errors.ts';
import type { SourceId } from '../../domain/plan.ts';
import type { FileSystem } from '../../ports/file-system.ts';
import { isDiskFull } from '../../segments/disk-full.ts';
import { RecordReader } from '../../segments/record-reader.ts';
import { readSegments, recover } from '../../segments/recovery.ts';
import { noRecord } from '../../segments/segment.ts';
import { beginSegments } from '../../segments/segment-writer.ts';
import type { Place } from '../../segments/segments.ts';
import { Backlog } from './backlog.ts';
import { EmbeddedQueue } from './embedded-queue.ts';
import { findStarts } from './history.ts';
import { Journal } from './journal.ts';
import type { Ledger, QueueIdentity } from './ledger.ts';
import { openLevelLedger } from './level-ledger.ts';
import { defaultPartitions, type EmbeddedQueueOptions, type EmbeddedQueueSettings, settingsOf } from './options.ts';
import { commandRecords } from './record.ts';
import { Retention } from './retention.ts';

const layoutVersion = 1;

/**
 * Opens, creating it if there is none, the durable queue in `options.directory`:
 *
 *     meta/                          identity, lock and acknowledged positions
 *     segments/NNNNNNNNNN.segment    the journal of all partitions, appended to, removed segment by segment
 *
 * A queue belongs to one process: `QUEUE_LOCKED` when it is open elsewhere. `INVALID_CONFIGURATION` when it was
 * created with another number of partitions, `QUEUE_TOO_NEW` when a newer release wrote it, `QUEUE_CORRUPT` when
 * something durable is damaged, `DISK_FULL` and `QUEUE_IO_FAILED` when the file system does not play along.
 */
export async function openEmbeddedQueue(options: EmbeddedQueueOptions): Promise<EmbeddedQueue> {
  const settings = settingsOf(options);
  const { fileSystem } = options;
  try {
    await fileSystem.makeDirectory(options.directory);
    const ledger = await (options.openLedger ?? openLevelLedger)(options.directory);
    try {
      return await openWith(ledger, options, settings);
    } catch (error) {
      await ledger.close();
      throw error;
    }
  } catch (error) {
    throw openingError(options.directory, error);
  }
}

async function openWith(
  ledger: Ledger,
  options: EmbeddedQueueOptions,
  settings: EmbeddedQueueSettings,
): Promise<EmbeddedQueue> {
  const { fileSystem, clock } = options;
  const directory = join(options.directory, 'segments');
  await fileSystem.makeDirectory(directory);
  const place = { fileSystem, clock, directory, records: commandRecords, isShared: false };
  const identity = await identify(ledger, options, await isBegun(fileSystem, directory));
  await fileSystem.syncDirectory(options.directory);
  await fileSystem.syncDirectory(dirname(options.directory));

  const segments = await readSegments({ ...place, partitions: identity.partitions, onlyLooks: false });
  const saved = await ledger.readAcknowledged();
  if (segments.isEmpty) {
    refuseLostSegments(directory, saved);
    const partitions = Array.from({ length: identity.partitions });
    await beginSegments(place, segments, {
      queue: identity.id,
      salt: crc32(options.newId()),
      next: partitions.map(() => 0),
      digests: partitions.map(() => noRecord),
    });
  }
  if (segments.first.header.queue !== identity.id) {
    throw new PersistenceError('QUEUE_CORRUPT', `${directory} and meta/ beside it belong to different queues`);
  }
  await fileSystem.syncDirectory(directory);
  const { state, file } = await recover(place, segments);
  const openReader = (from: Place): RecordReader =>
    new RecordReader(fileSystem, segments, state.salt, from, settings.chunkBytes);

  const acknowledged = state.next.map((end, partition) =>
    Math.min(end, Math.max(saved?.[partition] ?? 0, segments.first.header.next[partition] ?? 0)),
  );
  const starts = await findStarts(segments, state.next, new Map(acknowledged.entries()), openReader);
  const end = segments.distance(segments.end);
  const consumed = Math.min(end, ...[...starts.values()].map((start) => segments.distance(start.place)));
  const backlog = new Backlog(
    { unconsumedBytes: settings.maximumUnconsumedBytes, pendingBytes: settings.maximumPendingBytes },
    consumed,
    end,
  );
  const journal = new Journal(place, settings, state, file, backlog);
  const retention = new Retention({ ...place, ledger }, segments, settings.retention, acknowledged);
  const source = `embedded:${identity.id}` as SourceId;
  return new EmbeddedQueue({
    source,
    partitions: identity.partitions,
    ledger,
    segments,
    journal,
    backlog,
    retention,
    openReader,
    consumed,
  });
}

async function isBegun(fileSystem: FileSystem, directory: string): Promise<boolean> {
  return (await fileSystem.list(directory)).length > 0;
}

async function identify(ledger: Ledger, options: EmbeddedQueueOptions, begun: boolean): Promise<QueueIdentity> {
  const known = await ledger.readIdentity();
  if (known === undefined) {
    if (begun) {
      throw new PersistenceError(
        'QUEUE_CORRUPT',
        `${options.directory} holds segments, but its meta/ says nothing of a queue`,
      );
    }
    const identity = { id: options.newId(), layoutVersion, partitions: options.partitions ?? defaultPartitions };
    await ledger.saveIdentity(identity);
    return identity;
  }
  if (known.layoutVersion > layoutVersion) {
    throw new PersistenceError(
      'QUEUE_TOO_NEW',
      `the queue in ${options.directory} has layout version ${known.layoutVersion}, this release knows ${layoutVersion}`,
    );
  }
  if (options.partitions !== undefined && options.partitions !== known.partitions) {
    throw new PersistenceError(
      'INVALID_CONFIGURATION',
      `the queue in ${options.directory} has ${known.partitions} partitions, not ${options.partitions}: their number is ` +
        'fixed when a queue is created; for another one, replay it into a new queue',
    );
  }
  return known;
}

function refuseLostSegments(directory: string, saved: readonly number[] | undefined): void {
  if (saved?.some((next) => next > 0)) {
    throw new PersistenceError(
      'QUEUE_CORRUPT',
      `${directory} is empty, but the queue had commands: restore its segments`,
    );
  }
}

function openingError(directory: string, error: unknown): unknown {
  if (isPersistenceError(error) || error instanceof TypeError) return error;
  const code = isDiskFull(error) ? 'DISK_FULL' : 'QUEUE_IO_FAILED';
  return new PersistenceError(code, `the queue in ${directory} cannot be opened`, { cause: error });
}
