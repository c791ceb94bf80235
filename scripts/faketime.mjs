import { spawnSync } from 'node:child_process';
import { provideByPackages } from './debian-packages.mjs';

/** Makes sure that there is `faketime`, and says where the library is that it puts into a process. */
export async function provideFaketime() {
  await provideByPackages({
    what: 'faketime',
    purpose: 'Looking at sessions as of the day on which they were recorded',
    packages: ['faketime'],
    works: () => library() !== '',
  });
  return { environment: { MACP_PERSIST_TEST_FAKETIME: library() } };
}

function library() {
  const { stdout } = spawnSync('faketime', ['2020-01-01 00:00:00', 'printenv', 'LD_PRELOAD'], { encoding: 'utf8' });
  return (stdout ?? '').trim();
}
