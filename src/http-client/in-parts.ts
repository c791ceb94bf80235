import { isPersistenceError } from '../domain/errors.ts';

/**
 * What `send` answers to all the items, in their order. What the service, or a proxy before it, finds too large for one
 * request is sent in two parts, one after the other, and these again; a single item that is too large is an error.
 */
export async function inParts<Item, Answer>(
  items: readonly Item[],
  send: (part: readonly Item[]) => Promise<readonly Answer[]>,
): Promise<readonly Answer[]> {
  try {
    return await send(items);
  } catch (error) {
    if (!isPersistenceError(error, 'REQUEST_TOO_LARGE') || items.length < 2) throw error;
  }
  const middle = Math.ceil(items.length / 2);
  const first = await inParts(items.slice(0, middle), send);
  return [...first, ...(await inParts(items.slice(middle), send))];
}
