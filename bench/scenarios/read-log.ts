import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import type { SessionId } from '../../src/domain/identifiers.ts';
import type { Store } from '../../src/ports/store.ts';
import { bareBatches, benchDirectory, removeDirectory } from '../support/bare.ts';
import { type Contestant, contest, report } from '../support/contest.ts';
import { entryPool, sessionIds } from '../support/entries.ts';
import { fillQueue, openQueue, openStore, worker } from '../support/pipeline.ts';

const length = 10_000;
const readings = 20;

/** Reading a log of 10,000 entries whole, beside a bare iterator over the same bytes. */
export async function readLongLog(rounds: number): Promise<boolean> {
  const directory = await benchDirectory('read');
  try {
    await using queue = await openQueue(join(directory, 'queue'));
    await using store = await openStore(join(directory, 'store'));
    await fillQueue(queue, 1, length);
    await worker(queue, store).runUntilCaughtUp();
    const bareDirectory = join(directory, 'bare');
    await bareBatches(bareDirectory, { writeBufferSize: 32 * 1024 * 1024, compression: true }, keyed(), 512);
    await using db = new ClassicLevel<Uint8Array, Uint8Array>(bareDirectory, {
      keyEncoding: 'view',
      valueEncoding: 'view',
    });
    await db.open();
    const [session] = sessionIds(1);
    if (session === undefined) throw new TypeError('no session');
    const contestants = [ours(store, session), bare(db)];
    return report(`Reading a log of ${length} entries`, 'entries', await contest(rounds, contestants), 0.25);
  } finally {
    await removeDirectory(directory);
  }
}

function ours(store: Store, session: SessionId): Contestant {
  return {
    name: 'session view, log in pages',
    async run() {
      let bytes = 0;
      for (let reading = 0; reading < readings; reading += 1) {
        await using view = await store.openSession(session);
        for await (const page of view?.log() ?? []) for (const entry of page) bytes += entry.length;
      }
      return checked(bytes);
    },
  };
}

function bare(db: ClassicLevel<Uint8Array, Uint8Array>): Contestant {
  return {
    name: 'bare iterator, 1,000 values at a time',
    async run() {
      let bytes = 0;
      for (let reading = 0; reading < readings; reading += 1) {
        await using iterator = db.values({ highWaterMarkBytes: 1024 * 1024 });
        for (;;) {
          const values = await iterator.nextv(1000);
          if (values.length === 0) break;
          for (const value of values) bytes += value.length;
        }
      }
      return checked(bytes);
    },
  };
}

function checked(bytes: number): number {
  const expected = readings * length * 841;
  if (bytes !== expected) throw new Error(`read ${bytes} bytes instead of ${expected}`);
  return readings * length;
}

function* keyed(): Generator<readonly [Uint8Array, Uint8Array]> {
  const pool = entryPool(4096);
  for (let index = 0; index < length; index += 1) {
    const key = Buffer.allocUnsafe(4);
    key.writeUInt32BE(index);
    yield [key, pool[index % pool.length] ?? Buffer.alloc(0)];
  }
}
