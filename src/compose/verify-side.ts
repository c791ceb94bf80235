import { type StoreAddress, showAddress } from '../configuration/addresses.ts';
import type { Values } from '../configuration/settings.ts';
import { type ErrorCode, isPersistenceError } from '../domain/errors.ts';
import type { CopySource } from '../ports/copy-source.ts';
import type { Store } from '../ports/store.ts';
import { StoreSource } from '../transfer/store-source.ts';
import type { Scope } from '../verify/scope.ts';
import { upstreamAdapters } from './adapters.ts';
import { openExistingStore } from './open.ts';
import { refuseLocked } from './store-url.ts';
import { isUpstreams, readAsUpstream } from './upstream.ts';

/** What keeps a store of ours from being opened although macp-runtime might read what lies there. */
const unfit: readonly ErrorCode[] = ['STORE_CHANGED_ELSEWHERE', 'STORE_CORRUPT'];

/** One side, opened, and what of it can be compared. */
class OpenedSide implements AsyncDisposable {
  readonly source: CopySource;
  readonly scope: Scope;
  /** Undefined where it is read as macp-runtime reads it. */
  readonly store: Store | undefined;

  constructor(source: CopySource, store: Store | undefined) {
    this.source = source;
    this.store = store;
    this.scope = store === undefined ? 'content' : 'everything';
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.source.close();
  }
}

/**
 * Opens a store of ours; or reads what lies there as macp-runtime does, which has no numbers, where it alone has written
 * (opening a store there would adopt that), or where something was changed or damaged behind our back.
 */
export async function openSide(
  address: StoreAddress,
  values: Values,
  onRemark: (text: string) => void,
): Promise<OpenedSide> {
  if (await isUpstreams(address, values)) return asContent();
  try {
    const store = await openExistingStore(address, values);
    return new OpenedSide(new StoreSource(store), store);
  } catch (error) {
    const isReadable = address.kind in upstreamAdapters;
    if (!isReadable || !isPersistenceError(error) || !unfit.includes(error.code)) return refuseLocked(error);
    onRemark(error.message);
    return asContent();
  }

  async function asContent(): Promise<OpenedSide> {
    onRemark(`${showAddress(address)} is read as macp-runtime reads it: logs, snapshots, receipts and anchors only`);
    return new OpenedSide(await readAsUpstream(address, values, onRemark), undefined);
  }
}
