import { open } from 'node:fs/promises';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { commandId } from '../../src/domain/command.ts';
import type { Epoch, Sequence, SessionId } from '../../src/domain/identifiers.ts';
import { entryPool, sessionIds } from '../support/entries.ts';

/** What to do, see {@link PublishRead}. */
export interface PublishReadRequest {
  readonly url: string;
  /** Where to write and sync beside it. */
  readonly directory: string;
  readonly rate: number;
  readonly seconds: number;
  readonly rounds: number;
}

/** Milliseconds of many measurements. */
export interface Latencies {
  readonly median: number;
  readonly p99: number;
  readonly most: number;
}

/** One round: from when a command was due until its entry was read, and from a write of as many bytes until its sync. */
export interface PublishRead {
  readonly readable: Latencies;
  readonly sync: Latencies;
  /** Commands a second that were published and read. */
  readonly rate: number;
}

const { url, directory, rate, seconds, rounds } = JSON.parse(process.argv[2] ?? '') as PublishReadRequest;
const { hostname, port } = new URL(url);
const agent = new Agent({ keepAlive: true, maxSockets: 256 });
const entries = entryPool(1_024);
/** So many that a command of a session is read long before the next one of it is due. */
const sessions = sessionIds(rate * 2);
const syncs = 1_000;
let published = 0;

await load(2);
const results: PublishRead[] = [];
for (let round = 0; round < rounds; round += 1) {
  const sync = await bareSyncs(join(directory, `sync-${round}`));
  results.push({ ...(await load(seconds)), sync });
}
console.log(JSON.stringify(results));
agent.destroy();

/** Commands become due at a fixed rate, whatever becomes of those before: a stall counts for all that it holds up. */
async function load(length: number): Promise<Omit<PublishRead, 'sync'>> {
  const latencies: number[] = [];
  const underWay: Promise<void>[] = [];
  const start = performance.now();
  for (let sent = 0; sent < rate * length; ) {
    const now = performance.now();
    for (; sent < rate * length && start + (sent * 1000) / rate <= now; sent += 1) {
      const due = start + (sent * 1000) / rate;
      underWay.push(publishAndRead().then(() => void latencies.push(performance.now() - due)));
    }
    await delay(1);
  }
  await Promise.all(underWay);
  return { readable: summarize(latencies), rate: (latencies.length * 1000) / (performance.now() - start) };
}

async function publishAndRead(): Promise<void> {
  const session = sessions[published % sessions.length] as SessionId;
  const sequence = (Math.floor(published / sessions.length) + 1) as Sequence;
  const entry = Buffer.from(entries[published % entries.length] ?? []);
  published += 1;
  const id = commandId(session, 1 as Epoch, sequence);
  const event = { specversion: '1.0', id, source: '//bench/writer', subject: session, type: 'macp.log.append.v1' };
  const attributes = JSON.stringify({ ...event, macpsequence: sequence, macpepoch: 1 });
  const body = Buffer.concat([Buffer.from(`${attributes.slice(0, -1)},"data":`), entry, Buffer.from('}')]);
  await exchange('POST', '/v1/commands', 202, body);
  const path = `/v1/sessions/${session}/log?from=${sequence - 1}&min_sequence=${sequence}`;
  const read = await exchange('GET', path, 200);
  if (!read.subarray(0, -1).equals(entry)) throw new Error(`another entry was read: ${read.toString()}`);
}

function exchange(method: string, path: string, expected: number, body?: Buffer): Promise<Buffer> {
  const headers =
    body === undefined ? {} : { 'content-type': 'application/cloudevents+json', 'content-length': body.length };
  return new Promise((resolve, reject) => {
    const take = async (response: IncomingMessage): Promise<void> => {
      const parts: Buffer[] = [];
      for await (const part of response) parts.push(part);
      const text = Buffer.concat(parts);
      if (response.statusCode === expected) resolve(text);
      else reject(new Error(`${method} ${path}: ${response.statusCode} ${text.toString()}`));
    };
    const request = httpRequest({ hostname, port, method, path, headers, agent }, (response) => {
      take(response).catch(reject);
    });
    request.on('error', reject).end(body);
  });
}

/** Appends entries to a file, one after the other, each with its own fdatasync. */
async function bareSyncs(file: string): Promise<Latencies> {
  await using handle = await open(file, 'a');
  const latencies: number[] = [];
  for (let index = 0; index < syncs; index += 1) {
    const start = performance.now();
    await handle.write(entries[index % entries.length] ?? Buffer.alloc(0));
    await handle.datasync();
    latencies.push(performance.now() - start);
  }
  return summarize(latencies);
}

function summarize(milliseconds: readonly number[]): Latencies {
  const sorted = [...milliseconds].sort((one, other) => one - other);
  const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
  return { median: at(0.5), p99: at(0.99), most: at(1) };
}
