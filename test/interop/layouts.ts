import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore, storeAddress } from '../../src/compose/open.ts';
import { loadConfiguration } from '../../src/compose/settings.ts';
import type { Store } from '../../src/ports/store.ts';
import { redisAddress, uniquePrefix } from '../support/redis.ts';
import type { UpstreamPlace } from './storage-program.ts';

/** A place for one store, empty at first. Disposing of it removes everything. */
export interface StorePlace extends AsyncDisposable {
  /** As `--store` takes it. */
  readonly url: string;
  readonly upstream: UpstreamPlace;
  /** A copy for upstream's code to look at, because opening a store may change it. */
  copy(): Promise<UpstreamPlace>;
}

export type Layout = UpstreamPlace['layout'];

/** Upstream's layouts. */
export const layouts: readonly Layout[] = ['file', 'rocksdb', 'redis'];

export async function freshPlace(layout: Layout): Promise<StorePlace> {
  return layout === 'redis' ? placeInRedis() : placeInDirectory(layout);
}

/** Opens the store of ours at a place, as a worker does. */
export async function openOurs({ url }: Pick<StorePlace, 'url'>): Promise<Store> {
  const { values } = await loadConfiguration({
    flags: new Map([['store', url]]),
    configFile: undefined,
    environment: {},
    workingDirectory: tmpdir(),
    mistakes: [],
  });
  return openStore(storeAddress(values), values);
}

function placeInRedis(): StorePlace {
  const [address, prefix] = [redisAddress(), uniquePrefix()];
  const upstream: UpstreamPlace = { layout: 'redis', place: `${address} ${prefix}` };
  return {
    url: `${address}/0?prefix=${prefix}`,
    upstream,
    // Reading writes nothing there, and who started this Redis takes everything away.
    copy: async () => upstream,
    [Symbol.asyncDispose]: async () => undefined,
  };
}

async function placeInDirectory(layout: 'file' | 'rocksdb'): Promise<StorePlace> {
  const scratch = await mkdtemp(join(tmpdir(), `interop-${layout}-`));
  const directory = join(scratch, 'store');
  let copies = 0;
  return {
    url: `${layout}:${directory}`,
    upstream: { layout, place: directory },
    async copy() {
      copies += 1;
      const place = join(scratch, `copy-${copies}`);
      await cp(directory, place, { recursive: true });
      return { layout, place };
    },
    [Symbol.asyncDispose]: () => rm(scratch, { recursive: true, force: true }),
  };
}
