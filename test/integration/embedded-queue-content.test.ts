import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Command } from '../../src/domain/command.ts';
import type { Content } from '../../src/domain/delivery.ts';
import { decodeBinary, encodeBinary } from '../../src/domain/wire/binary.ts';
import { messageOfEvent } from '../../src/domain/wire/structured.ts';
import { nodeFileSystem } from '../../src/platform/node-file-system.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import { openEmbeddedQueue } from '../../src/queues/embedded/open-embedded-queue.ts';
import { append, claim, create, numbered, replace, save, skip } from '../support/commands.ts';

/** Every recorded command of a stream, as a publisher has it. */
async function recorded(folder: string): Promise<readonly Command[]> {
  const text = await readFile(new URL(`../fixtures/golden/${folder}/commands.ndjson`, import.meta.url), 'utf8');
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => commandOf(decodeBinary(messageOfEvent(Buffer.from(line)))));
}

function commandOf(content: ReturnType<typeof decodeBinary>): Command {
  if (content.kind !== 'numbered' || content.refusal !== undefined) throw new TypeError('not a valid numbered command');
  const { session, writer, epoch, sequence, data } = content;
  return numbered(content.type as never, sequence, Buffer.from(data).toString('utf8'), { session, writer, epoch });
}

/** The content with its data as a Buffer, whatever kind of view it is. */
function plainly(content: Content): unknown {
  return 'data' in content ? { ...content, data: Buffer.from(content.data) } : content;
}

const spaced: Command = { ...append(9, 'spaced'), data: Buffer.from(` ${append(9, 'spaced').data.toString()}\n`) };
const checkpoint = numbered(
  'macp.log.append.v1',
  8,
  '{"message_id":"","received_at_ms":1,"sender":"_runtime","message_type":"Checkpoint","raw_payload":[],' +
    '"entry_kind":"Checkpoint","compacted_incoming_ordinals":7}',
);

it('what the embedded queue delivers is what the wire format reads of the same command', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'macp-persist-test-'));
  try {
    const handMade: readonly Command[] = [
      create(1),
      { ...append(2, 'a'), time: '2026-11-24T00:00:00Z', traceparent: '00-1-2-03' },
      save(3, 'b'),
      replace(4, ['c', 'd']),
      numbered('macp.receipt.store.v1', 5, '\u0000opaque'),
      numbered('macp.anchor.store.v1', 6, ''),
      numbered('macp.session.delete.v1', 7, ''),
      checkpoint,
      spaced,
      claim(2, '//test/two'),
      skip(3, 2, randomUUID()),
    ];
    const streams = await Promise.all(['v0.4.0', 'v0.13.0', 'edge'].map(recorded));
    const commands = [...handMade, ...streams.flat()];
    await using queue = await openEmbeddedQueue({
      directory,
      partitions: 1,
      fileSystem: nodeFileSystem,
      clock: systemClock,
      newId: randomUUID,
    });
    await queue.publish(commands);
    let at = 0;
    for await (const deliveries of queue.replay({ limits: { deliveries: 1000, bytes: 1 << 20 } })) {
      for (const { content } of deliveries) {
        const command = commands[at];
        if (command === undefined) throw new RangeError('more was delivered than published');
        expect(plainly(content)).toEqual(plainly(decodeBinary(encodeBinary(command))));
        at += 1;
      }
    }
    expect(at).toBe(commands.length);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
