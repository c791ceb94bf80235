import { type Command, commandId, type NumberedCommand, type NumberedType, wireLimits } from '../domain/command.ts';
import { type Digest, digestHex } from '../domain/digest.ts';
import { isPersistenceError, PersistenceError } from '../domain/errors.ts';
import type { Epoch, Sequence, SessionId, Writer } from '../domain/identifiers.ts';
import type { CopySource, SourceSession } from '../ports/copy-source.ts';
import { throwIfAborted } from './copy-options.ts';
import { digestContent, readDocuments } from './session-digest.ts';

/** Published together at most, unless one command alone is larger. */
const group = { commands: 512, bytes: 4 * 1024 * 1024 };
const mostNamed = 20;
const firstEpoch = 1 as Epoch;
const nothing = new Uint8Array();

export interface CommandsOptions {
  readonly signal: AbortSignal;
  /** Told how many sessions were looked at. */
  readonly onChecked: (sessions: number) => void;
}

/**
 * Reads the whole source and counts the commands that it makes. Throws `INVALID_INPUT`, which names the first twenty
 * places, when not all of it can be sent; `ABORTED`.
 */
export async function checkCommands(source: CopySource, { signal, onChecked }: CommandsOptions): Promise<number> {
  const problems: string[] = [];
  let commands = 0;
  let sessions = 0;
  let unusable = 0;
  for await (const session of source.sessions()) {
    throwIfAborted(signal);
    try {
      commands += await countCommands(session, source);
    } catch (error) {
      if (!isPersistenceError(error, 'INVALID_INPUT')) throw error;
      unusable += 1;
      if (problems.length < mostNamed) problems.push(`  ${error.message}`);
    }
    sessions += 1;
    onChecked(sessions);
  }
  if (unusable === 0) return commands;
  const rest = unusable > mostNamed ? [`  and ${unusable - mostNamed} more`] : [];
  const count = unusable === 1 ? 'one session' : `${unusable} sessions`;
  throw new PersistenceError(
    'INVALID_INPUT',
    [`${count} cannot be sent, so nothing was sent:`, ...problems, ...rest].join('\n'),
  );
}

/**
 * The commands that make every session what it is in the source, in groups: create, appends, save, receipt and anchor,
 * numbered from 1 in epoch 1. Their writer is named after the session's content, so that the same content makes the same
 * commands, which are duplicates the second time, and other content is fenced instead of being mixed with it.
 */
export async function* groupedCommands(source: CopySource): AsyncGenerator<readonly Command[]> {
  let commands: Command[] = [];
  let bytes = 0;
  for await (const command of allCommands(source)) {
    if (commands.length > 0 && bytes + command.data.length > group.bytes) {
      yield commands;
      [commands, bytes] = [[], 0];
    }
    commands.push(command);
    bytes += command.data.length;
    if (commands.length < group.commands) continue;
    yield commands;
    [commands, bytes] = [[], 0];
  }
  if (commands.length > 0) yield commands;
}

/** Every command of {@link groupedCommands}, one by one. */
export async function* allCommands(source: CopySource): AsyncGenerator<NumberedCommand> {
  for await (const session of source.sessions()) {
    await using read = await source.open(session);
    if (read !== undefined) yield* commandsOf(read);
  }
}

async function countCommands(session: SessionId, source: CopySource): Promise<number> {
  await using read = await source.open(session);
  if (read === undefined) return 0;
  let entries = 0;
  for await (const page of read.log()) {
    for (const entry of page) {
      entries += 1;
      assertFits(entry, `log entry ${entries}`, session);
    }
  }
  let documents = 0;
  for (const [name, document] of Object.entries<Uint8Array | undefined>({ ...(await readDocuments(read)) })) {
    if (document === undefined) continue;
    documents += 1;
    assertFits(document, name, session);
  }
  return 1 + entries + documents;
}

/** Stores hold what upstream wrote however large it is; a command does not. */
function assertFits(document: Uint8Array, name: string, session: SessionId): void {
  if (document.length <= wireLimits.dataBytes) return;
  throw new PersistenceError(
    'INVALID_INPUT',
    `the ${name} of session ${JSON.stringify(session)} has ${document.length} bytes; a command has at most ${wireLimits.dataBytes}`,
  );
}

async function* commandsOf(read: SourceSession): AsyncGenerator<NumberedCommand> {
  const { session } = read;
  const writer = writerOf(await digestContent(read));
  let last = 0;
  const next = (type: NumberedType, data: Uint8Array): NumberedCommand => {
    last += 1;
    const sequence = last as Sequence;
    const id = commandId(session, firstEpoch, sequence);
    return { kind: 'numbered', type, session, writer, epoch: firstEpoch, sequence, data, id };
  };
  yield next('macp.session.create.v1', nothing);
  for await (const entries of read.log()) for (const entry of entries) yield next('macp.log.append.v1', entry);
  const { snapshot, receipt, anchor } = await readDocuments(read);
  if (snapshot !== undefined) yield next('macp.session.save.v1', snapshot);
  if (receipt !== undefined) yield next('macp.receipt.store.v1', receipt);
  if (anchor !== undefined) yield next('macp.anchor.store.v1', anchor);
}

function writerOf(content: Digest): Writer {
  return `import:${digestHex(content)}` as Writer;
}
