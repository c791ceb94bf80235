import { type StoreAddress, showAddress } from '../configuration/addresses.ts';
import type { Values } from '../configuration/settings.ts';
import { PersistenceError } from '../domain/errors.ts';
import type { CopySource } from '../ports/copy-source.ts';
import type { UpstreamAdapter } from './adapter.ts';
import { upstreamAdapters } from './adapters.ts';

/**
 * Opens what macp-runtime wrote at an address, to be read only. Each remark is told once. Throws `INVALID_CONFIGURATION`
 * where there is nothing, or something else.
 */
export async function openUpstream(
  address: StoreAddress,
  values: Values,
  onRemark: (text: string) => void,
): Promise<CopySource> {
  const adapter: UpstreamAdapter<StoreAddress> | undefined = upstreamAdapters[address.kind];
  const place = showAddress(address);
  if (adapter === undefined) throw unknownToUpstream(address);
  const content = await adapter.examine(address, values);
  if (content === 'nothing') {
    throw new PersistenceError(
      'INVALID_CONFIGURATION',
      `there is nothing that macp-runtime wrote at ${place}: name the place that its MACP_DATA_DIR, MACP_ROCKSDB_PATH or MACP_REDIS_URL names`,
    );
  }
  if (content === 'own') {
    throw new PersistenceError(
      'INVALID_CONFIGURATION',
      `${place} is a store of ours, with the numbers of its sessions: copy it with export --store ${place} --to`,
    );
  }
  return readAsUpstream(address, values, onRemark);
}

/**
 * Reads what lies at an address as macp-runtime does, whoever wrote it. Each remark is told once. Throws
 * `INVALID_CONFIGURATION` where macp-runtime reads no store of the kind.
 */
export async function readAsUpstream(
  address: StoreAddress,
  values: Values,
  onRemark: (text: string) => void,
): Promise<CopySource> {
  const adapter: UpstreamAdapter<StoreAddress> | undefined = upstreamAdapters[address.kind];
  if (adapter === undefined) throw unknownToUpstream(address);
  const told = new Set<string>();
  return adapter.open(address, values, (text) => {
    if (!told.has(text)) onRemark(text);
    told.add(text);
  });
}

/** True where only macp-runtime has written: opening a store there would adopt what it wrote. */
export async function isUpstreams(address: StoreAddress, values: Values): Promise<boolean> {
  const adapter: UpstreamAdapter<StoreAddress> | undefined = upstreamAdapters[address.kind];
  return (await adapter?.examine(address, values)) === 'upstream';
}

function unknownToUpstream(address: StoreAddress): PersistenceError {
  return new PersistenceError(
    'INVALID_CONFIGURATION',
    `macp-runtime writes no store of the kind ${address.kind}: copy one of ours with export --store ${showAddress(address)} --to`,
  );
}
