import { AddressProblem, parseQueueReference, type QueueAddress } from '../configuration/addresses.ts';
import type { Values } from '../configuration/settings.ts';
import { queueAdapters } from './adapters.ts';
import { queueAddress } from './open.ts';

/** Kinds of sources that commands are replayed from. */
const sourceKinds = [...Object.keys(queueAdapters), 'archive', 'ndjson'];

/** What is wrong with the URL of a queue, or of a file of commands, or undefined. */
export function queueUrlProblem(text: string): string | undefined {
  try {
    parseQueueReference(text, sourceKinds);
    return undefined;
  } catch (error) {
    if (error instanceof AddressProblem) return error.message;
    throw error;
  }
}

/** Where the queue or the file of this URL lies; {@link queueUrlProblem} has found nothing wrong with it. */
export function queueAt(url: string, values: Pick<Values, 'dataDir'>): QueueAddress {
  return queueAddress({ queue: parseQueueReference(url, sourceKinds), dataDir: values.dataDir });
}
