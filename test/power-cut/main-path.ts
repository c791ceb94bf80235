import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { NumberedCommand, NumberedType } from '../../src/domain/command.ts';
import type { Epoch, Sequence, SessionId, Writer } from '../../src/domain/identifiers.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { nodeFileSystem } from '../../src/platform/node-file-system.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { Queue } from '../../src/ports/queue.ts';
import type { Store } from '../../src/ports/store.ts';
import { openEmbeddedQueue } from '../../src/queues/embedded/open-embedded-queue.ts';
import { openSmallStore, type SmallStoreKind, smallStorePlace } from './small-stores.ts';

/** The real queue and the real store in one data directory, so small that a few hundred commands fill every file. */
export interface MainPath extends AsyncDisposable {
  readonly queue: Queue;
  readonly store: Store;
  newPipeline(): Pipeline;
  close(): Promise<void>;
}

export async function openMainPath(directory: string, kind: SmallStoreKind): Promise<MainPath> {
  const queue = await openEmbeddedQueue({
    directory: join(directory, 'queue'),
    fileSystem: nodeFileSystem,
    clock: systemClock,
    newId: randomUUID,
    partitions: 3,
    segmentBytes: 96 * 1024,
    groupBytes: 16 * 1024,
  });
  let store: Store;
  try {
    store = await openSmallStore(smallStorePlace(directory, kind), kind);
  } catch (error) {
    await queue.close();
    throw error;
  }
  const close = async (): Promise<void> => {
    try {
      await queue.close();
    } finally {
      await store.close();
    }
  };
  return {
    queue,
    store,
    newPipeline: () =>
      new Pipeline({
        queue,
        store,
        clock: systemClock,
        limits: { deliveries: 24, bytes: 256 * 1024 },
        cachedSessions: 8,
        backoff: { initial: 1, maximum: 4 },
      }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** The numbered commands of recorded lines, read without the product's own decoder. */
export function commandsOf(lines: readonly string[]): readonly NumberedCommand[] {
  return lines.map((line) => {
    const at = line.indexOf(',"data":');
    const attributes = JSON.parse(at < 0 ? line : `${line.slice(0, at)}}`);
    return {
      kind: 'numbered',
      type: attributes.type as NumberedType,
      id: attributes.id,
      session: attributes.subject as SessionId,
      writer: attributes.source as Writer,
      epoch: Number(attributes.macpepoch) as Epoch,
      sequence: Number(attributes.macpsequence) as Sequence,
      data: Buffer.from(at < 0 ? '' : line.slice(at + ',"data":'.length, -1), 'utf8'),
    };
  });
}
