import { join } from 'node:path';
import { benchDirectory, removeDirectory } from '../support/bare.ts';
import { peakOfCommand, tellPeak } from '../support/footprint.ts';
import { fillQueue, openQueue } from '../support/pipeline.ts';

const limitMebibytes = 300;

/** The most anonymous memory of a real worker process while it persists a backlog. LevelDB's mapped files do not count. */
export async function backlogMemory(commands: number): Promise<boolean> {
  const directory = await benchDirectory('memory');
  try {
    await using queue = await openQueue(join(directory, 'queue'));
    await fillQueue(queue, 5_000, commands);
    await queue.close();
    const peak = await peakOfCommand(['worker', '--exit-when-caught-up', '--data-dir', directory]);
    console.log(`\nAnonymous memory of a worker with a backlog of ${commands} commands`);
    return tellPeak(peak, limitMebibytes);
  } finally {
    await removeDirectory(directory);
  }
}
