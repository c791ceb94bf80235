import { join } from 'node:path';
import { bareAppends, bareBatches, benchDirectory, removeDirectory } from '../support/bare.ts';
import { type Contestant, contest, report } from '../support/contest.ts';
import { entryPool, interleavedAppends, sessionIds } from '../support/entries.ts';
import { openQueue } from '../support/pipeline.ts';

const inFlight = 256;
const mebibyte = 1024 * 1024;

/**
 * Publish to durable: 256 publishes of one command each in flight, beside bare synced writes of 256 entries of the
 * same size, to a file and to classic-level.
 */
export async function publishDurably(commands: number, rounds: number): Promise<boolean> {
  const directory = await benchDirectory('publish');
  try {
    const contestants: Contestant[] = [
      ours(join(directory, 'queue'), commands),
      {
        name: 'bare file, writev + fdatasync',
        run: () => bareAppends(join(directory, 'file'), entries(commands), inFlight),
        clear: () => removeDirectory(join(directory, 'file')),
      },
      {
        name: 'bare classic-level, chained batch',
        run: () => bareBatches(join(directory, 'level'), levelOptions, keyed(commands), inFlight),
        clear: () => removeDirectory(join(directory, 'level')),
      },
    ];
    const title = `Publishing to durable, ${inFlight} in flight, ${commands} commands`;
    return report(title, 'commands', await contest(rounds, contestants), 0.7);
  } finally {
    await removeDirectory(directory);
  }
}

const levelOptions = { writeBufferSize: 64 * mebibyte, compression: false };

function ours(directory: string, count: number): Contestant {
  const commands = [...interleavedAppends(sessionIds(5_000), count)];
  return {
    name: 'embedded queue',
    async run() {
      await using queue = await openQueue(directory);
      const source = commands.values();
      const publishRest = async () => {
        for (const command of source) await queue.publish([command]);
      };
      await Promise.all(Array.from({ length: inFlight }, publishRest));
      return count;
    },
    clear: () => removeDirectory(directory),
  };
}

function* entries(count: number): Generator<Uint8Array> {
  const pool = entryPool(4096);
  for (let index = 0; index < count; index += 1) yield pool[index % pool.length] ?? Buffer.alloc(0);
}

function* keyed(count: number): Generator<readonly [Uint8Array, Uint8Array]> {
  let index = 0;
  for (const entry of entries(count)) {
    const key = Buffer.allocUnsafe(8);
    key.writeBigUInt64BE(BigInt(index));
    index += 1;
    yield [key, entry];
  }
}
