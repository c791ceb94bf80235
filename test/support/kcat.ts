import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** A record for kcat to send. Key and one-line value go through its standard input; a value of bytes through a file. */
export interface ForeignRecord {
  /** Undefined: none. */
  readonly key: string | undefined;
  readonly headers: readonly (readonly [string, string])[];
  /** On one line; undefined: null. */
  readonly value?: string | undefined;
  /** Undefined: where the partitioner puts it. */
  readonly partition?: number | undefined;
}

/** A record as kcat has read it. */
export interface ReadRecord {
  readonly partition: number;
  readonly offset: number;
  readonly key: string | undefined;
  readonly value: Buffer;
  /** `name=value`, with commas between. */
  readonly headers: string;
}

/** What librdkafka has to be told so that records lie where their sessions belong. */
export const murmur2 = ['-X', 'partitioner=murmur2_random'];

/** Sends one record with kcat. */
export async function sendWithKcat(
  brokers: string,
  topic: string,
  { key, headers, value = '', partition }: ForeignRecord,
  more: readonly string[] = murmur2,
): Promise<void> {
  const where = partition === undefined ? [] : ['-p', `${partition}`];
  const told = headers.flatMap(([name, text]) => ['-H', `${name}=${text}`]);
  const keyed = key === undefined ? [] : ['-K', '\t', '-Z'];
  const words = ['-P', '-b', brokers, '-t', topic, ...where, ...keyed, ...told, ...more];
  await runKcat(words, key === undefined ? `${value}\n` : `${key}\t${value}\n`);
}

/** Everything that a topic holds, as kcat reads it. */
export async function readWithKcat(brokers: string, topic: string): Promise<readonly ReadRecord[]> {
  const format = '%p %o %K %S\n%k%s%h\n';
  const printed = await runKcat(['-C', '-q', '-e', '-b', brokers, '-t', topic, '-o', 'beginning', '-f', format]);
  const records: ReadRecord[] = [];
  for (let at = 0; at < printed.length; ) {
    const line = printed.indexOf('\n', at);
    const numbers = printed.toString('latin1', at, line).split(' ').map(Number);
    const [partition = 0, offset = 0, keyBytes = 0, valueBytes = 0] = numbers;
    const key = line + 1;
    const value = key + Math.max(keyBytes, 0);
    const headers = value + Math.max(valueBytes, 0);
    const end = printed.indexOf('\n', headers);
    records.push({
      partition,
      offset,
      key: keyBytes < 0 ? undefined : printed.toString('utf8', key, value),
      value: printed.subarray(value, headers),
      headers: printed.toString('utf8', headers, end),
    });
    at = end + 1;
  }
  return records;
}

/** What kcat prints. Rejects, with what it said, when it fails. */
async function runKcat(words: readonly string[], input = ''): Promise<Buffer> {
  const kcat = spawn('kcat', words);
  const printed: Buffer[] = [];
  let said = '';
  kcat.stdout.on('data', (chunk) => printed.push(chunk));
  kcat.stderr.on('data', (text) => {
    said += text;
  });
  kcat.stdin.end(input);
  const [code] = await once(kcat, 'close');
  if (code !== 0) throw new Error(`kcat ended with ${code}: ${said}`);
  return Buffer.concat(printed);
}
