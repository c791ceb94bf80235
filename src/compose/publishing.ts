import type { Logger } from 'pino';
import type { Values } from '../configuration/settings.ts';
import type { Command } from '../domain/command.ts';
import { PersistenceError } from '../domain/errors.ts';
import { parseWriter } from '../domain/identifiers.ts';
import { type Line, splitLines } from '../domain/lines.ts';
import type { RemoteService } from '../http-client/remote-service.ts';
import { RemoteSink } from '../http-client/remote-sink.ts';
import { RemoteWatch } from '../http-client/remote-watch.ts';
import { systemClock } from '../platform/system-clock.ts';
import type { Queue } from '../ports/queue.ts';
import type { SessionWatch } from '../ports/session-watch.ts';
import { checkInput } from '../publisher/check-input.ts';
import { readNumbered, readUnnumbered } from '../publisher/input-event.ts';
import { publishAs } from '../publisher/publish-as.ts';
import { type Published, type PublishingOptions, publishGroups, publishNumbered } from '../publisher/publish-lines.ts';
import type { Sink } from '../publisher/sink.ts';
import { isExclusive, openQueue, queueAddress } from './open.ts';
import { connectOwner, isLocked } from './owner.ts';
import { Persister } from './persister.ts';
import { type OthersWatched, watchOthers } from './watch-others.ts';

export type { Published };

/** Where to publish to, and who is told of it. */
export interface SendRequest {
  readonly values: Values;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Told when the queue is full, once. */
  readonly onFull: () => void;
  /** Told all that was published, whenever there is more. */
  readonly onPublished: (published: Published) => void;
}

export interface PublishRequest extends SendRequest {
  /** Reads the input from its start; called twice. */
  readonly input: () => AsyncIterable<Uint8Array>;
  /** Who claims the sessions and numbers the events; undefined: they are sent as they are. */
  readonly as: string | undefined;
  /** Told how many events will be sent, before the first is. */
  readonly onChecked: (events: number) => void;
}

/** Where an input is published to. */
interface Target extends AsyncDisposable {
  readonly sink: Sink;
  /** Where sessions stand, once everything published before is applied. */
  watch(signal: AbortSignal): Promise<SessionWatch>;
  onFull(): void;
  /** Aborted, with the reason, when publishing need not go on. */
  readonly failed: AbortSignal | undefined;
}

/**
 * Publishes an NDJSON input to the configured queue, or through the process that owns it. The whole input is read and
 * checked before anything is sent: `INVALID_INPUT` or `MIXED_EVENTS` when it cannot be sent as it is.
 */
export async function publishInput(request: PublishRequest): Promise<Published> {
  const writer = request.as === undefined ? undefined : parseWriter(request.as);
  const lines = (): AsyncIterable<Line> => splitLines(request.input());
  const read = writer === undefined ? readNumbered : (text: Uint8Array) => readUnnumbered(text, writer);
  let events = 0;
  const counted = (): void => {
    events += 1;
  };
  await checkInput(untilAborted(lines(), request.signal, counted), read);
  request.onChecked(events);

  return sendTo(request, async (options, target) => {
    if (writer === undefined) return publishNumbered(lines(), readNumbered, options);
    const watch = await target.watch(options.signal);
    return publishAs(lines(), { ...options, writer, watch, clock: systemClock });
  });
}

/** Publishes numbered commands, known to be in order, to the configured queue, or through the process that owns it. */
export function publishCommands(request: SendRequest, groups: AsyncIterable<readonly Command[]>): Promise<Published> {
  return sendTo(request, (options) => publishGroups(groups, options));
}

async function sendTo(
  request: SendRequest,
  send: (options: PublishingOptions, target: Target) => Promise<Published>,
): Promise<Published> {
  await using target = await openTarget(request);
  const { sink, failed } = target;
  const signal = failed === undefined ? request.signal : AbortSignal.any([request.signal, failed]);
  try {
    return await send({ sink, signal, onFull: () => target.onFull(), onPublished: request.onPublished }, target);
  } catch (error) {
    throw failed?.aborted === true ? failed.reason : error;
  }
}

async function openTarget(request: SendRequest): Promise<Target> {
  const { values, logger } = request;
  const address = queueAddress(values);
  if (address.kind === 'memory') {
    throw new PersistenceError(
      'INVALID_CONFIGURATION',
      'a queue in memory would be lost with this process: name another with --queue',
    );
  }
  try {
    const queue = await openQueue(address, values);
    if (!isExclusive(address)) return sharedTarget(queue, values, request.onFull);
    return localTarget(queue, new Persister(queue, values, logger), request.onFull);
  } catch (error) {
    if (!isLocked(error)) throw error;
    return remoteTarget((await connectOwner(values, error, 'queue')).service, request.onFull);
  }
}

function localTarget(queue: Queue, persister: Persister, onFull: () => void): Target {
  const tellOnce = once(onFull);
  return {
    sink: queue,
    failed: persister.failed,
    watch: (signal) => persister.watch(signal),
    onFull: () => {
      tellOnce();
      persister.makeRoom();
    },
    [Symbol.asyncDispose]: () => persister[Symbol.asyncDispose](),
  };
}

/** Workers elsewhere persist meanwhile. */
function sharedTarget(queue: Queue, values: Values, onFull: () => void): Target {
  let others: OthersWatched | undefined;
  return {
    sink: queue,
    failed: undefined,
    watch: async (signal) => {
      others = await watchOthers(queue, values, signal);
      return others.watch;
    },
    onFull: once(onFull),
    [Symbol.asyncDispose]: async () => {
      await others?.[Symbol.asyncDispose]();
      await queue.close();
    },
  };
}

/** The owner's worker persists meanwhile: a claim that comes too late is simply made once more. */
function remoteTarget(service: RemoteService, onFull: () => void): Target {
  return {
    sink: new RemoteSink(service, systemClock),
    failed: undefined,
    watch: async () => new RemoteWatch(service),
    onFull: once(onFull),
    [Symbol.asyncDispose]: () => service.close(),
  };
}

function once(call: () => void): () => void {
  let called = false;
  return () => {
    if (!called) call();
    called = true;
  };
}

async function* untilAborted(
  lines: AsyncIterable<Line>,
  signal: AbortSignal,
  onLine: () => void,
): AsyncGenerator<Line> {
  for await (const line of lines) {
    if (signal.aborted) throw new PersistenceError('ABORTED', 'interrupted before anything was sent');
    onLine();
    yield line;
  }
}
