import { JsonReader, JsonSyntaxError } from '../documents/json-reader.ts';
import { PersistenceError } from '../errors.ts';

/** Most events of a batch: what is remembered of each is larger than the smallest event. */
export const mostBatchEvents = 10_000;

/**
 * Takes a batch of events apart (CloudEvents 1.0.2, JSON event format, 4: a JSON array): the text of each element,
 * as views of `batch`. What the elements are is not looked at. Throws `INVALID_EVENT` when the text is not a JSON array,
 * and `REQUEST_TOO_LARGE` when it holds more than 10,000 elements.
 */
export function splitEvents(batch: Uint8Array): readonly Uint8Array[] {
  const events: Uint8Array[] = [];
  const reader = new JsonReader(batch);
  try {
    if (reader.next() !== 0x5b) reader.fail('an array');
    reader.at += 1;
    if (reader.next() === 0x5d) reader.at += 1;
    else while (readElement(reader, events));
    reader.finish();
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    throw new PersistenceError('INVALID_EVENT', `the batch is not a JSON array: ${error.message}`);
  }
  return events;
}

/** Passes an element and the comma or bracket after it. True when another element is due. */
function readElement(reader: JsonReader, events: Uint8Array[]): boolean {
  if (events.length === mostBatchEvents) {
    throw new PersistenceError(
      'REQUEST_TOO_LARGE',
      `the batch holds more than ${mostBatchEvents} events: send it in parts`,
    );
  }
  reader.next();
  const start = reader.at;
  reader.value();
  events.push(reader.bytes.subarray(start, reader.at));
  const byte = reader.next();
  if (byte !== 0x2c && byte !== 0x5d) reader.fail('"," or "]"');
  reader.at += 1;
  return byte === 0x2c;
}
