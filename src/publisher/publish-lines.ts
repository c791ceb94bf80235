import type { Command } from '../domain/command.ts';
import { PersistenceError } from '../domain/errors.ts';
import type { SessionId } from '../domain/identifiers.ts';
import type { Line } from '../domain/lines.ts';
import { readLine } from './check-input.ts';
import type { InputEvent } from './input-event.ts';
import { group } from './outbox.ts';
import { publishWhenWritable, type SendingOptions } from './sink.ts';

/** What was published. */
export interface Published {
  readonly commands: number;
  /** Different sessions among them; undefined where they were too many to count in bounded memory. */
  readonly sessions: number | undefined;
}

/** Where commands are sent to, and who is told of it. */
export interface PublishingOptions extends SendingOptions {
  /** Called when more was published, with all that was published until then. */
  readonly onPublished: (published: Published) => void;
}

const mostCountedSessions = 1_000_000;

/** Counts commands, and sessions as far as bounded memory reaches. */
export class PublishedCount {
  #commands = 0;
  readonly #sessions = new Set<SessionId>();

  add(commands: readonly { readonly session: SessionId }[]): void {
    this.#commands += commands.length;
    if (this.#sessions.size <= mostCountedSessions) for (const { session } of commands) this.#sessions.add(session);
  }

  get published(): Published {
    const sessions = this.#sessions.size > mostCountedSessions ? undefined : this.#sessions.size;
    return { commands: this.#commands, sessions };
  }
}

/** Publishes every event as it is, in order. The input was checked before: what is refused now has changed since. */
export function publishNumbered(
  lines: AsyncIterable<Line>,
  read: (text: Uint8Array) => InputEvent<Command>,
  options: PublishingOptions,
): Promise<Published> {
  return publishGroups(grouped(lines, read), options);
}

/** Publishes numbered commands in order, each group together. */
export async function publishGroups(
  groups: AsyncIterable<readonly Command[]>,
  options: PublishingOptions,
): Promise<Published> {
  const count = new PublishedCount();
  for await (const commands of groups) {
    await publishWhenWritable(commands, options);
    count.add(commands);
    options.onPublished(count.published);
  }
  return count.published;
}

/** The events of the lines in groups that are published together. */
export async function* grouped<Sendable extends { readonly session: SessionId }>(
  lines: AsyncIterable<Line>,
  read: (text: Uint8Array) => InputEvent<Sendable>,
): AsyncGenerator<readonly Sendable[]> {
  let commands: Sendable[] = [];
  let bytes = 0;
  for await (const line of lines) {
    const event = readLine(line, read);
    if (event.kind !== 'sendable') throw changedMeanwhile(line.number);
    commands.push(event.command);
    bytes += line.bytes?.length ?? 0;
    if (commands.length < group.commands && bytes < group.bytes) continue;
    yield commands;
    commands = [];
    bytes = 0;
  }
  if (commands.length > 0) yield commands;
}

function changedMeanwhile(line: number): PersistenceError {
  return new PersistenceError(
    'INVALID_INPUT',
    `line ${line} was in order when the input was checked, and is no more: the file was changed while it was published; ` +
      'what stands before this line may have been sent',
  );
}
