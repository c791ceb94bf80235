import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { TopicRecord } from './model.ts';

/** One record as kcat prints it with `-J` (kcat(1), "JSON message envelope"). */
interface Printed {
  readonly partition: number;
  readonly offset: number;
  readonly key: string | null;
  readonly payload: string | null;
  /** Names and values by turns. */
  readonly headers?: readonly string[];
}

/**
 * Reads a topic from its beginning to its end with kcat, which shares no code with any client of the product. What
 * transactions did not commit is left out. Throws when offsets of a partition do not rise, or a record is no command.
 */
export async function readTopic(brokers: string, topic: string): Promise<readonly TopicRecord[]> {
  const settings = ['isolation.level=read_committed', 'check.crcs=true'].flatMap((setting) => ['-X', setting]);
  const words = ['-C', '-b', brokers, '-t', topic, '-o', 'beginning', '-e', '-q', '-J', ...settings];
  const kcat = spawn('kcat', words, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(kcat, 'close');
  const records: TopicRecord[] = [];
  const latest = new Map<number, number>();
  for await (const line of createInterface({ input: kcat.stdout })) {
    const record = recordOf(JSON.parse(line));
    if (record.offset <= (latest.get(record.partition) ?? -1)) throw new Error(`kcat went back at ${line}`);
    latest.set(record.partition, record.offset);
    records.push(record);
  }
  const [code] = await ended;
  if (code !== 0) throw new Error(`kcat ended with ${code}`);
  return records;
}

function recordOf({ partition, offset, key, payload, headers = [] }: Printed): TopicRecord {
  const header = (name: string): string | undefined => {
    const at = headers.findIndex((word, index) => index % 2 === 0 && word === name);
    return at < 0 ? undefined : headers[at + 1];
  };
  const type = header('ce_type');
  const writer = header('ce_source');
  const epoch = header('ce_macpepoch');
  const sequence = header('ce_macpsequence');
  if (key === null || type === undefined || writer === undefined || epoch === undefined) {
    throw new Error(`record ${partition}:${offset} is no command of the workload`);
  }
  return {
    partition,
    offset,
    session: key,
    type,
    writer,
    epoch: Number(epoch),
    sequence: sequence === undefined ? undefined : Number(sequence),
    data: payload ?? '',
  };
}
