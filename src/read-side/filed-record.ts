import type { FiledId, FiledRecord } from '../domain/plan.ts';
import type { FiledKey, Store } from '../ports/store.ts';

/** True for a text that may name a dead letter or a decision. */
export function isFiledId(text: string): text is FiledId {
  return /^[0-9a-f]{32}$/.test(text);
}

/** What is filed under the key, or undefined. */
export async function readFiledRecord(
  store: Pick<Store, 'readFiled'>,
  { session, id }: FiledKey,
): Promise<FiledRecord | undefined> {
  const [record] = await store.readFiled(session, { after: { session, id: idBefore(id) }, limit: 1 });
  return record?.id === id && record.session === session ? record : undefined;
}

/** A text just before `id` in every order of ids: they are of hexadecimal characters, and no text lies between. */
function idBefore(id: FiledId): FiledId {
  const at = id.length - 1;
  return `${id.slice(0, at)}${String.fromCharCode(id.charCodeAt(at) - 1)}` as FiledId;
}
