import { queueUrlProblem } from '../compose/queue-url.ts';
import type { ReplayEnd, Selection } from '../compose/replay.ts';
import { sessionIdProblem } from '../domain/identifiers.ts';
import { isTimestamp } from '../domain/wire/timestamp.ts';

/** What is wrong with the URL of a queue or a file of commands, or undefined. */
export function checkSourceUrl(text: string): string | undefined {
  const problem = queueUrlProblem(text);
  return problem === undefined ? undefined : `names no queue or file: ${problem}`;
}

const positions = /^[0-9]{1,9}:[0-9]{1,15}(?:,[0-9]{1,9}:[0-9]{1,15})*$/;

/** What is wrong with the text of an end of a replay, or undefined. */
export function endProblem(text: string): string | undefined {
  if (isTimestamp(Buffer.from(text, 'utf8'))) return undefined;
  if (!positions.test(text)) {
    return 'is neither a time, such as 2026-11-24T15:04:05Z, nor positions, such as 0:1500,3:1480';
  }
  const partitions = text.split(',').map((position) => position.split(':')[0]);
  return new Set(partitions).size < partitions.length ? 'names a partition twice' : undefined;
}

/** The end that a text names, in which {@link endProblem} has found nothing wrong; undefined: the end of the source. */
export function readEnd(text: string | undefined): ReplayEnd {
  if (text === undefined) return {};
  if (!positions.test(text)) return { time: Date.parse(text) };
  const offsets = text.split(',').map((position): [number, number] => {
    const [partition, offset] = position.split(':');
    return [Number(partition), Number(offset)];
  });
  return { offsets: new Map(offsets) };
}

/** What is wrong with the text of a selection of sessions, or undefined. */
export function selectionProblem(text: string): string | undefined {
  if (isPrefix(text)) return undefined;
  const ids = idsOf(text);
  if (ids === undefined) return 'begins as a JSON array and is none of texts';
  const wrong = ids.find((id) => sessionIdProblem(id) !== undefined);
  return wrong === undefined
    ? undefined
    : `names ${JSON.stringify(wrong)}, which is no session id: ${sessionIdProblem(wrong)}`;
}

/** The selection that a text names, in which {@link selectionProblem} has found nothing wrong; undefined: all. */
export function readSelection(text: string | undefined): Selection | undefined {
  if (text === undefined) return undefined;
  return isPrefix(text) ? { prefix: text.slice(0, -1) } : { ids: new Set(idsOf(text)) };
}

function isPrefix(text: string): boolean {
  return text.endsWith('*');
}

/** `ID,ID`, or a JSON array where an id has a comma or ends with an asterisk. */
function idsOf(text: string): readonly string[] | undefined {
  if (!text.startsWith('[')) return text.split(',');
  try {
    const ids: unknown = JSON.parse(text);
    return Array.isArray(ids) && ids.length > 0 && ids.every((id) => typeof id === 'string') ? ids : undefined;
  } catch {
    return undefined;
  }
}
