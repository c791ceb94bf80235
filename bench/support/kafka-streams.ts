import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Consumed } from './consumed.ts';

/** Restores a topic with so many threads into the store of Kafka Streams, which syncs nothing on the way. */
export async function restoreWithStreams(
  address: string,
  topic: string,
  directory: string,
  threads: number,
): Promise<Consumed> {
  const installed = process.env['BENCH_KAFKA_STREAMS'];
  if (installed === undefined) throw new Error('Kafka Streams is not there: npm run bench provides it');
  const classPath = [join(installed, 'lib', '*'), join(installed, 'classes')].join(':');
  const parameters = ['-cp', classPath, 'RestoreStore', address, topic, directory, String(threads)];
  const child = spawn('java', parameters, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  let text = '';
  for await (const part of child.stdout) text += part;
  const [code] = await exited;
  if (code !== 0) throw new Error(`Kafka Streams ended with ${code}`);
  return JSON.parse(text);
}
