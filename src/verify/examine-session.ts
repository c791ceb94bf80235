import type { Cursor } from '../domain/cursor.ts';
import { checkData } from '../domain/documents/check-data.ts';
import type { ParkedCommand } from '../domain/plan.ts';
import { decide } from '../domain/rule/decide.ts';
import { deliveryOfParked } from '../domain/rule/filed-record.ts';
import { obstacleOf } from '../domain/standing.ts';
import type { SourceSession } from '../ports/copy-source.ts';
import { isDamage } from './damage.ts';
import { examineLog } from './examine-log.ts';
import type { SessionFinding } from './finding.ts';

/** What is wrong with a session in itself, and what it waits for. Throws `VIEW_EXPIRED`. */
export async function* examineSession(read: SourceSession): AsyncGenerator<SessionFinding> {
  const cursor = await read.cursor();
  yield* examineLog(read, cursor);
  yield* orDamaged('snapshot', examineDocuments(read, cursor));
  yield* orDamaged('parked command', examineParked(read, cursor));
  yield* orDamaged('dead letter', countFiled(read, cursor));
  yield* tellObstacle(cursor);
}

async function* orDamaged(
  part: SessionFinding['part'],
  found: AsyncIterable<SessionFinding>,
): AsyncGenerator<SessionFinding> {
  try {
    yield* found;
  } catch (error) {
    if (!isDamage(error)) throw error;
    yield { kind: 'damaged', part, item: undefined, detail: error.message };
  }
}

async function* examineDocuments(read: SourceSession, cursor: Cursor): AsyncGenerator<SessionFinding> {
  const snapshot = await read.snapshot();
  const refusal = snapshot && checkData('macp.session.save.v1', read.session, snapshot).refusal;
  if (refusal !== undefined) yield { kind: 'damaged', part: 'snapshot', item: undefined, detail: refusal.message };
  for (const [part, told] of [
    ['receipt', cursor.hasReceipt],
    ['anchor', cursor.hasAnchor],
  ] as const) {
    const isThere = (await read[part]()) !== undefined;
    if (isThere === told) continue;
    const detail = isThere ? 'is there, and the cursor knows nothing of it' : 'is missing, and the cursor tells of it';
    yield { kind: isThere ? 'conflict' : 'hole', part, item: undefined, detail };
  }
}

/** Applies the rule anew to everything that waits: where it is right, all of it would be parked again. */
async function* examineParked(read: SourceSession, cursor: Cursor): AsyncGenerator<SessionFinding> {
  let commands = 0;
  let bytes = 0;
  for await (const page of read.parked()) {
    for (const parked of page) {
      commands += 1;
      bytes += parked.bytes;
      const finding = examineCommand(parked, cursor);
      if (finding !== undefined) yield { part: 'parked command', item: parked.sequence, ...finding };
    }
  }
  for (const [item, told, found] of [
    ['parkedCommands', cursor.parkedCommands, commands],
    ['parkedBytes', cursor.parkedBytes, bytes],
  ] as const) {
    if (told === found) continue;
    yield { kind: 'miscounted', part: 'cursor', item, detail: `it is ${told}, and ${found} are there` };
  }
}

function examineCommand(parked: ParkedCommand, cursor: Cursor): Pick<SessionFinding, 'kind' | 'detail'> | undefined {
  const { content } = deliveryOfParked(parked);
  const isWhole =
    content.kind === 'numbered' && content.digest === parked.digest && content.sequence === parked.sequence;
  if (!isWhole) return { kind: 'damaged', detail: 'its message is not what its header says' };
  // Decided as if nothing waited yet: whether there was room for it was settled when it came.
  const room: Cursor = { ...cursor, parkedCommands: 0, parkedBytes: 0 };
  const outcome = decide({ cursor: room, parkedThere: undefined, isFiled: false }, content);
  switch (outcome.kind) {
    case 'park':
      return undefined;
    case 'duplicate':
      return { kind: 'double', detail: 'waits, and was applied already' };
    case 'apply':
    case 'open':
      return { kind: 'hole', detail: 'waits, and is the next one: it should have been applied' };
    case 'dead letter':
      // What is refused in its turn waits until it is the next one.
      return { kind: outcome.reason === 'refused' ? 'hole' : 'conflict', detail: `waits, and ${outcome.detail}` };
    default:
      return { kind: 'damaged', detail: 'waits, and is no command that could' };
  }
}

async function* countFiled(read: SourceSession, cursor: Cursor): AsyncGenerator<SessionFinding> {
  let records = 0;
  for await (const page of read.filed()) records += page.length;
  if (records === cursor.filed) return;
  yield {
    kind: 'miscounted',
    part: 'cursor',
    item: 'filed',
    detail: `it is ${cursor.filed}, and ${records} are there`,
  };
}

function* tellObstacle(cursor: Cursor): Generator<SessionFinding> {
  const obstacle = obstacleOf(cursor);
  if (obstacle === undefined) return;
  const { kind, open } = obstacle;
  const waiting = `${cursor.parkedCommands} commands wait`;
  const halted = `two commands came under one number, and halted it after number ${cursor.last}; ${waiting}`;
  if (kind === 'halted') yield { kind: 'conflict', part: 'session', item: undefined, detail: halted };
  else {
    const why = kind === 'refused' ? 'was refused' : 'never came';
    yield { kind: 'hole', part: 'session', item: undefined, detail: `number ${open} ${why}; ${waiting}` };
  }
}
