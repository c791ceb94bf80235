import { describe, expect, it } from 'vitest';
import type { SessionId } from '../../src/domain/identifiers.ts';
import type { Message } from '../../src/domain/message.ts';
import { decodeBinary, encodeBinary } from '../../src/domain/wire/binary.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts';
import { append, create } from '../support/commands.ts';
import { rawDelivery, ScriptedQueue } from '../support/scripted-queue.ts';

/**
 * A command that was refused for an attribute, and the same command corrected, have the same data and so the same
 * digest. The correction used to be taken for the dead letter that was there already, and its number stayed blocked.
 */
describe('a command that was refused for an attribute only', () => {
  it('is repaired by the same data with the attribute corrected', async () => {
    const queue = new ScriptedQueue();
    const store = createMemoryStore();
    const right = encodeBinary(append(2, 'm2'));
    const wrong: Message = {
      ...right,
      headers: right.headers.map(([name, value]) => [name, name === 'ce_id' ? Buffer.from('not-the-id') : value]),
    };
    queue.add(create(1));
    for (const message of [wrong, wrong, right]) {
      queue.addDeliveries([rawDelivery(decodeBinary(message), message, queue.nextPosition())]);
    }
    const limits = { deliveries: 10, bytes: 1_000_000 };
    const backoff = { initial: 1, maximum: 1 };
    const pipeline = new Pipeline({ queue, store, clock: systemClock, limits, cachedSessions: 10, backoff });
    const { tally } = await pipeline.runUntilCaughtUp();
    expect(tally).toMatchObject({ applied: 2, duplicates: 1, deadLetters: { refused: 1 } });
    const [cursor] = await store.readCursors(['a-session-of-the-tests-1' as SessionId]);
    expect(cursor).toMatchObject({ last: 2, refused: false, entries: 1 });
  });
});
