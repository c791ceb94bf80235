import type { Digest } from '../../domain/digest.ts';
import { asBuffer } from '../../domain/wire/bytes.ts';
import { bytesOf, listOf, numberOf, textOf } from '../../redis/replies.ts';
import type { ReadJob } from './job-delivery.ts';
import type { LayoutScripts } from './layout-scripts.ts';
import { readScript } from './scripts/shard-scripts.ts';
import type { Page, PageLimits, WaitingJobs } from './shard-reader.ts';

const nothing = new Uint8Array(0);

/** The jobs of a shard that wait in Redis. */
export class RedisShard implements WaitingJobs {
  readonly name: string;
  readonly #scripts: LayoutScripts;
  readonly #key: string;

  constructor(scripts: LayoutScripts, shard: number) {
    const { prefix, queue, shard: keyOf } = scripts.keys;
    this.name = `${prefix}:${queue(shard)}`;
    this.#scripts = scripts;
    this.#key = keyOf(shard);
  }

  async page(offset: number, most: PageLimits): Promise<Page> {
    const args = [offset, most.jobs, most.bytes].map(String);
    const { reply, socket } = await this.#scripts.answer(readScript, [this.#key], args);
    const [start, digest, end, ...rest] = listOf(reply);
    const jobs: ReadJob[] = [];
    for (let at = 0; at < rest.length; at += 5) {
      const time = Number(textOf(rest[at + 3]));
      const data = asBuffer(bytesOf(rest[at + 4]) ?? nothing);
      jobs.push({ first: numberOf(rest[at]), count: numberOf(rest[at + 1]), id: textOf(rest[at + 2]), time, data });
    }
    const held = { start: numberOf(start), end: numberOf(end) };
    return { held, edge: digestOf(digest), jobs, connection: socket };
  }
}

/** A digest as Redis keeps it; undefined where there is none. */
export function digestOf(reply: Parameters<typeof bytesOf>[0]): Digest | undefined {
  const digest = Buffer.from(bytesOf(reply) ?? nothing).toString('latin1');
  return digest === '' ? undefined : (digest as Digest);
}
