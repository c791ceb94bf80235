/**
 * `npm run rocksdb:build [-- --from-source] [-- --into DIRECTORY]`: builds the addon that the rocksdb store needs, and
 * puts it where the store looks for it (`native/rocksdb/built`), or into the directory. What was built once is kept in
 * the user's cache. With `--from-source` RocksDB is compiled, so that the addon is one file that needs nothing beside it.
 */
import { parseArgs } from 'node:util';
import { Refusal, requireNode } from './project.mjs';
import { buildAddon, quickestRoute } from './rocksdb-addon.mjs';

try {
  requireNode();
  const { values } = parseArgs({ options: { 'from-source': { type: 'boolean' }, into: { type: 'string' } } });
  const route = values['from-source'] === true ? 'source' : quickestRoute();
  const { file } = await buildAddon(route, values.into);
  console.log(`The rocksdb store finds its addon at ${file}`);
} catch (error) {
  console.error(error instanceof Refusal || error instanceof TypeError ? error.message : error);
  process.exitCode = 1;
}
