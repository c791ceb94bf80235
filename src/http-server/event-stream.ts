import { PersistenceError } from '../domain/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { FollowedEvent, FollowPoint } from '../ports/service.ts';

export const eventStreamMediaType = 'text/event-stream';

/** Milliseconds without an event after which a comment shows that the connection is alive. */
const heartbeatInterval = 15_000;

const comment = Buffer.from(':\n\n', 'latin1');
const end = Buffer.from('\n\n', 'latin1');

/**
 * Followed events as server-sent events, until they end or `signal` is aborted. It begins with a comment, so that the
 * client learns at once that it is connected.
 */
export async function* eventStream(
  events: AsyncIterable<FollowedEvent>,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const iterator = events[Symbol.asyncIterator]();
  try {
    yield comment;
    let next: Promise<IteratorResult<FollowedEvent>> | undefined;
    while (!signal.aborted) {
      next ??= iterator.next();
      const event = await nextOrSilence(next, clock);
      if (event === 'silence') {
        yield comment;
        continue;
      }
      next = undefined;
      if (event.done === true) return;
      yield encode(event.value);
    }
  } catch (error) {
    // Whoever aborted wanted it to end here.
    if (!signal.aborted) throw error;
  } finally {
    await iterator.return?.();
  }
}

async function nextOrSilence<Next>(next: Promise<Next>, clock: Clock): Promise<Next | 'silence'> {
  const waiting = new AbortController();
  const silence = clock.sleep(heartbeatInterval, waiting.signal).then(
    () => 'silence' as const,
    () => 'silence' as const,
  );
  try {
    return await Promise.race([next, silence]);
  } finally {
    waiting.abort();
  }
}

function encode(event: FollowedEvent): Buffer {
  if (event.kind === 'reset') {
    return Buffer.from(`event: reset\ndata: {"generation":${event.generation}}\n\n`, 'latin1');
  }
  const start = Buffer.from(`id: ${event.generation}.${event.ordinal}\nevent: entry\ndata: `, 'latin1');
  return Buffer.concat([start, event.entry, end]);
}

const eventId = /^(0|[1-9][0-9]{0,15})\.(0|[1-9][0-9]{0,15})$/;

/** Where to go on after the event `id`, as {@link eventStream} writes it. Throws `INVALID_REQUEST`. */
export function pointAfter(id: string): FollowPoint {
  const [, generation, ordinal] = eventId.exec(id) ?? [];
  if (generation === undefined || ordinal === undefined) {
    throw new PersistenceError('INVALID_REQUEST', 'Last-Event-ID must be GENERATION.ORDINAL, as sent with an event');
  }
  return { generation: Number(generation), ordinal: Number(ordinal) + 1 };
}
