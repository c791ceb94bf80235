import { readFileSync } from 'node:fs';

/** One command of a session, as its line in the stream has it. */
export interface HistoryCommand {
  readonly type: string;
  /** The text of `data`, byte for byte; undefined when the line has none. */
  readonly data: string | undefined;
}

/** The commands of each session in order: command `n` stands at index `n - 1`. */
export type Histories = ReadonlyMap<string, readonly HistoryCommand[]>;

/** What somebody read of one session, to be compared with its history. */
export interface Observation {
  readonly session: string;
  /** The cursor's last sequence: how many commands the store says it applied. */
  readonly last: number;
  /** Undefined: the session does not exist. */
  readonly content: SessionContent | undefined;
}

export interface SessionContent {
  readonly log: readonly string[];
  readonly snapshot: string | undefined;
}

/**
 * Reads the lines of a recorded stream without any code of the product, so that a mistake there cannot hide itself.
 * The recorded lines carry their attributes first and `data` last.
 */
export function readHistories(lines: readonly string[]): Histories {
  const histories = new Map<string, HistoryCommand[]>();
  for (const line of lines) {
    const at = line.indexOf(',"data":');
    const data = at < 0 ? undefined : line.slice(at + ',"data":'.length, -1);
    const attributes: unknown = JSON.parse(at < 0 ? line : `${line.slice(0, at)}}`);
    const session = text(attributes, 'subject');
    const commands = histories.get(session) ?? [];
    histories.set(session, commands);
    commands.push({ type: text(attributes, 'type'), data });
    if (Number(text(attributes, 'macpsequence')) !== commands.length) {
      throw new Error(`the stream numbers command ${commands.length} of ${session} otherwise`);
    }
  }
  return histories;
}

/** The lines of an NDJSON file. They may hold U+2028, so only line feeds count. */
export function readLines(path: string | URL): readonly string[] {
  return readFileSync(path, 'utf8').split('\n').slice(0, -1);
}

/** What a session is after its first `count` commands; undefined when it does not exist then. */
export function contentAfter(commands: readonly HistoryCommand[], count: number): SessionContent | undefined {
  let log: string[] = [];
  let snapshot: string | undefined;
  let exists = false;
  for (const { type, data = '' } of commands.slice(0, count)) {
    exists = true;
    if (type === 'macp.log.append.v1') log.push(data);
    else if (type === 'macp.session.save.v1') snapshot = data;
    else if (type === 'macp.log.replace.v1') log = [...elementsOf(data)];
    else if (type === 'macp.session.delete.v1') {
      log = [];
      snapshot = undefined;
      exists = false;
    } else if (type !== 'macp.session.create.v1') throw new Error(`the checker does not know ${type}`);
  }
  return exists ? { log, snapshot } : undefined;
}

/**
 * Everything that is wrong with what was read: each session must be exactly what its first `last` commands make of
 * it. An empty answer means that the store is a prefix of the history, session by session.
 */
export function prefixComplaints(histories: Histories, observed: readonly Observation[]): readonly string[] {
  const complaints: string[] = [];
  const seen = new Set<string>();
  for (const { session, last, content } of observed) {
    const commands = histories.get(session);
    if (seen.has(session)) complaints.push(`${session} was read twice`);
    seen.add(session);
    if (commands === undefined) complaints.push(`${session} is no session of the stream`);
    else if (last > commands.length) complaints.push(`${session} has applied ${last} of ${commands.length} commands`);
    else complaints.push(...contentComplaints(session, last, contentAfter(commands, last), content));
  }
  return complaints;
}

function contentComplaints(
  session: string,
  last: number,
  expected: SessionContent | undefined,
  found: SessionContent | undefined,
): readonly string[] {
  const where = `${session} after ${last} commands`;
  if (expected === undefined || found === undefined) {
    return expected === found ? [] : [`${where} ${found === undefined ? 'is missing' : 'exists'}`];
  }
  const complaints: string[] = [];
  if (found.log.length !== expected.log.length) {
    complaints.push(`${where} has ${found.log.length} entries instead of ${expected.log.length}`);
  }
  const wrong = expected.log.findIndex((entry, index) => index < found.log.length && entry !== found.log[index]);
  if (wrong >= 0) complaints.push(`${where} has another entry ${wrong}`);
  if (found.snapshot !== expected.snapshot) complaints.push(`${where} has another snapshot`);
  return complaints;
}

/** The texts of the elements of a JSON array in compact form. */
function* elementsOf(array: string): Generator<string> {
  let depth = 0;
  let start = 1;
  let inString = false;
  for (let at = 0; at < array.length; at += 1) {
    const character = array[at];
    if (inString) {
      if (character === '\\') at += 1;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === '[' || character === '{') depth += 1;
    else if (character === ']' || character === '}') depth -= 1;
    const ends = depth === 0 || (depth === 1 && character === ',' && !inString);
    if (!ends) continue;
    if (at > start) yield array.slice(start, at);
    start = at + 1;
  }
}

function text(attributes: unknown, name: string): string {
  const value = typeof attributes === 'object' && attributes !== null ? Reflect.get(attributes, name) : undefined;
  if (typeof value !== 'string') throw new Error(`a line of the stream has no ${name}`);
  return value;
}
