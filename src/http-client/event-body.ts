import { JsonReader, JsonSyntaxError } from '../domain/documents/json-reader.ts';

/** Events as the body of one request, each verbatim as it stands. */
export interface EventBody {
  readonly type: 'application/cloudevents+json' | 'application/cloudevents-batch+json';
  readonly bytes: Uint8Array;
}

const open = Buffer.from('[', 'latin1');
const comma = Buffer.from(',', 'latin1');
const close = Buffer.from(']', 'latin1');
const noEvent = Buffer.from('null', 'latin1');

/**
 * A single event stands as it is; several stand in an array. A text that is not one JSON value would change the places
 * of those behind it, so that `null` stands for it there: no event either, and refused under its own index.
 */
export function eventBody(events: readonly Uint8Array[]): EventBody {
  const [first] = events;
  if (events.length === 1 && first !== undefined) return { type: 'application/cloudevents+json', bytes: first };
  const parts = events.flatMap((event, index) => [index === 0 ? open : comma, isValue(event) ? event : noEvent]);
  if (parts.length === 0) parts.push(open);
  return { type: 'application/cloudevents-batch+json', bytes: Buffer.concat([...parts, close]) };
}

function isValue(text: Uint8Array): boolean {
  const reader = new JsonReader(text);
  try {
    reader.value();
    reader.finish();
    return true;
  } catch (error) {
    if (error instanceof JsonSyntaxError) return false;
    throw error;
  }
}
