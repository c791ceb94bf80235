import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TopicRecord } from './model.ts';

/** A job as it was written: what it holds, and where its events begin once it was given a place. */
interface Written {
  readonly shard: number;
  readonly events: readonly Readonly<Record<string, string>>[];
}

/**
 * Reads every job that was ever given its offsets out of the append-only files of a Redis that never rewrote them: jobs
 * themselves are gone. Shares no code with the product. `queues`: what the keys of all queues begin with, up to their
 * number. Throws when offsets of a shard do not follow each other, or an event is no command.
 */
export async function readJobs(directory: string, queues: string): Promise<readonly TopicRecord[]> {
  const jobs = new Map<string, Written>();
  const ends = new Map<number, number>();
  const records: TopicRecord[] = [];
  for (const [name = '', key = '', ...fields] of commandsOf(directory)) {
    if (!key.startsWith(queues) || !/^h(m)?set$/i.test(name)) continue;
    const field = (wanted: string): string | undefined => {
      const at = fields.findIndex((one, index) => index % 2 === 0 && one === wanted);
      return at < 0 ? undefined : fields[at + 1];
    };
    const data = field('data');
    const offset = field('macpOffset');
    if (data !== undefined)
      jobs.set(key, { shard: Number.parseInt(key.slice(queues.length), 10), ...JSON.parse(data) });
    if (offset === undefined) continue;
    const { shard, events } = jobs.get(key) ?? { shard: -1, events: [] };
    if (Number(offset) !== (ends.get(shard) ?? 0)) throw new Error(`job ${key} begins at ${offset}`);
    ends.set(shard, Number(offset) + events.length);
    for (const [index, event] of events.entries()) records.push(recordOf(event, shard, Number(offset) + index));
  }
  return records;
}

function recordOf(event: Readonly<Record<string, string>>, partition: number, offset: number): TopicRecord {
  const { subject, type, source, macpepoch, macpsequence, data = '' } = event;
  if (subject === undefined || type === undefined || source === undefined || macpepoch === undefined) {
    throw new Error(`event ${partition}:${offset} is no command of the workload`);
  }
  return {
    partition,
    offset,
    session: subject,
    type,
    writer: source,
    epoch: Number(macpepoch),
    sequence: macpsequence === undefined ? undefined : Number(macpsequence),
    data,
  };
}

/** The commands in the files that the manifest names, in their order (https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/). */
function* commandsOf(directory: string): Generator<readonly string[]> {
  const folder = join(directory, 'appendonlydir');
  const manifest = readFileSync(join(folder, 'appendonly.aof.manifest'), 'utf8');
  for (const line of manifest.split('\n')) {
    const [, file, type] = /^file (\S+) seq \d+ type ([bhi])/.exec(line) ?? [];
    if (file !== undefined && type === 'i') yield* commandsIn(readFileSync(join(folder, file)));
  }
}

/** Arrays of bulk strings; lines that begin with # are remarks. */
function* commandsIn(bytes: Buffer): Generator<readonly string[]> {
  let at = 0;
  const line = (): string => {
    const end = bytes.indexOf('\r\n', at);
    const text = bytes.toString('latin1', at, end);
    at = end + 2;
    return text;
  };
  while (at < bytes.length) {
    const head = line();
    if (head.startsWith('#')) continue;
    if (!head.startsWith('*')) throw new Error(`byte ${at} of an append-only file is no command`);
    yield Array.from({ length: Number(head.slice(1)) }, () => {
      const length = Number(line().slice(1));
      at += length + 2;
      return bytes.toString('utf8', at - length - 2, at - 2);
    });
  }
}
