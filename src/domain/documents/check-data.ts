import { type CommandType, claimType, type SkipDecision, skipType, wireLimits } from '../command.ts';
import type { DataFacts, Refusal } from '../delivery.ts';
import type { Epoch, Sequence, SessionId } from '../identifiers.ts';
import { isFieldName, logEntry, persistedSession, skipDecision } from './document-tables.ts';
import { JsonReader, JsonSyntaxError } from './json-reader.ts';
import { decodeNumber, decodeText, placeOf, removeSpaces, shorten } from './json-text.ts';
import { mismatch, readDocument } from './read-shape.ts';
import { ShapeError } from './shape.ts';

/** The data of a command after it was checked. */
export interface CheckedData {
  /** Without white space between tokens where it is JSON; as it was sent when it was refused. */
  readonly data: Uint8Array;
  readonly facts: DataFacts;
  readonly refusal: Refusal | undefined;
}

/** What most data tell: nothing that deciding has to know. */
export const noFacts: DataFacts = Object.freeze({ compactionBase: 0 });

/** Checks one kind of data. Returns facts, or throws ShapeError or JsonSyntaxError. */
type Check = (reader: JsonReader, session: SessionId) => DataFacts;

const checks: Readonly<Record<CommandType, Check | 'nothing' | 'opaque'>> = {
  'macp.session.create.v1': 'nothing',
  'macp.log.append.v1': checkEntry,
  'macp.session.save.v1': checkSnapshot,
  'macp.log.replace.v1': checkEntries,
  'macp.session.delete.v1': 'nothing',
  'macp.receipt.store.v1': 'opaque',
  'macp.anchor.store.v1': 'opaque',
  [claimType]: 'nothing',
  [skipType]: checkDecision,
};

/**
 * Checks that `data` is what a command of `type` for `session` carries, and learns what deciding needs of it: a
 * document as {@link checkDocument} has it, nothing, or any bytes; at most 16 MiB. It never throws.
 *
 * Refusals: `UNKNOWN_TYPE`; `DATA_TOO_LARGE` for more than 16 MiB as sent; `INVALID_DATA`.
 */
export function checkData(type: string, session: SessionId, data: Uint8Array): CheckedData {
  const check = Object.hasOwn(checks, type) ? checks[type as CommandType] : undefined;
  if (check === undefined)
    return refused(data, { code: 'UNKNOWN_TYPE', message: `no command has the type ${shorten(JSON.stringify(type))}` });
  if (data.length > wireLimits.dataBytes) {
    const message = `the data has ${data.length} bytes; at most ${wireLimits.dataBytes} are allowed`;
    return refused(data, { code: 'DATA_TOO_LARGE', message });
  }
  if (check === 'opaque') return { data, facts: noFacts, refusal: undefined };
  if (check !== 'nothing') return checkedBy(check, session, data);
  if (data.length === 0) return { data, facts: noFacts, refusal: undefined };
  return refused(data, { code: 'INVALID_DATA', message: `a command of type ${type} carries no data` });
}

/** Upstream's two documents. */
const documents = { entry: checkEntry, snapshot: checkSnapshot } as const;

/**
 * Checks a log entry or a snapshot of `session`, however large: upstream bounds neither, and a Checkpoint that it wrote
 * may be larger than any command. What its serde_json rejects is refused and nothing else, with two exceptions that it
 * never writes: documents written as arrays (`["m1",0,…]`) and choices written as objects (`{"Incoming":null}`) are
 * refused too, because readers other than serde would not understand them. Unknown members may hold any JSON. It never
 * throws. The refusal is `INVALID_DATA`.
 */
export function checkDocument(kind: keyof typeof documents, session: SessionId, data: Uint8Array): CheckedData {
  return checkedBy(documents[kind], session, data);
}

function checkedBy(check: Check, session: SessionId, data: Uint8Array): CheckedData {
  const reader = new JsonReader(data);
  try {
    const facts = check(reader, session);
    reader.finish();
    return { data: removeSpaces(data, reader.spaces), facts, refusal: undefined };
  } catch (error) {
    return refused(data, refusalOf(error, data));
  }
}

/**
 * The decision that the data of a skip writes: `sequence` and `epoch` from 1 to 2^53-1, `by` not empty, `reason`;
 * unknown members may hold any JSON. A refusal, `INVALID_DATA`, when it is no decision.
 */
export function readSkipDecision(data: Uint8Array): SkipDecision | Refusal {
  const reader = new JsonReader(data);
  const notes = [0, 0, 0, 0];
  try {
    readDocument(reader, skipDecision, notes);
    reader.finish();
  } catch (error) {
    return refusalOf(error, data);
  }
  const [sequence = 0, epoch = 0, by = 0, reason = 0] = notes;
  return {
    sequence: decodeNumber(data, sequence) as Sequence,
    epoch: decodeNumber(data, epoch) as Epoch,
    by: decodeText(data, by),
    reason: decodeText(data, reason),
  };
}

function checkDecision(reader: JsonReader): DataFacts {
  readDocument(reader, skipDecision);
  return noFacts;
}

function checkEntry(reader: JsonReader): DataFacts {
  const base = readEntry(reader);
  return base === 0 ? noFacts : { compactionBase: base };
}

function checkEntries(reader: JsonReader): DataFacts {
  if (reader.next() !== 0x5b) mismatch(reader, 'an array of log entries');
  reader.at += 1;
  const entryBounds: number[] = [];
  let compactionBase = 0;
  if (reader.next() === 0x5d) reader.at += 1;
  else {
    for (;;) {
      reader.next();
      const start = reader.at - reader.spaces;
      compactionBase = Math.max(compactionBase, readEntry(reader));
      entryBounds.push(start, reader.at - reader.spaces);
      const byte = reader.next();
      if (byte !== 0x2c && byte !== 0x5d) reader.fail('"," or "]"');
      reader.at += 1;
      if (byte === 0x5d) break;
    }
  }
  return { entryBounds, compactionBase };
}

/**
 * Passes one log entry. Its `compacted_incoming_ordinals` if it is a Checkpoint, else 0. Upstream's are 64 bits wide;
 * those above 2^53-1 count as 2^53-1: no reader can ask for an ordinal beyond.
 */
function readEntry(reader: JsonReader): number {
  const notes = [0, 0];
  readDocument(reader, logEntry, notes);
  const [kindAt = 0, ordinalsAt = 0] = notes;
  if (ordinalsAt === 0 || reader.bytes[ordinalsAt] === 0x30) return 0;
  if (decodeText(reader.bytes, kindAt) !== 'Checkpoint') return 0;
  return Math.min(decodeNumber(reader.bytes, ordinalsAt), Number.MAX_SAFE_INTEGER);
}

function checkSnapshot(reader: JsonReader, session: SessionId): DataFacts {
  const notes = [0];
  readDocument(reader, persistedSession, notes);
  const [idAt = 0] = notes;
  if (decodeText(reader.bytes, idAt) !== session) throw new ShapeError(idAt, "is not the command's session");
  return noFacts;
}

function refused(data: Uint8Array, refusal: Refusal): CheckedData {
  return { data, facts: noFacts, refusal };
}

function refusalOf(error: unknown, data: Uint8Array): Refusal {
  if (data.length === 0) return { code: 'INVALID_DATA', message: 'the document is missing' };
  if (error instanceof ShapeError) {
    const place = placeOf(data, error.offset, isFieldName);
    return { code: 'INVALID_DATA', message: `${place === '' ? 'the document' : place} ${error.problem}` };
  }
  if (error instanceof JsonSyntaxError) {
    const place = placeOf(data, error.offset, isFieldName);
    return {
      code: 'INVALID_DATA',
      message: `the data is not JSON: ${error.message}${place === '' ? '' : ` (${place})`}`,
    };
  }
  throw error;
}
