import { spawnSync } from 'node:child_process';
import { provideByPackages } from './debian-packages.mjs';

/** Makes sure that there is `strace`. */
export async function provideStrace() {
  const works = () => spawnSync('strace', ['--version']).status === 0;
  await provideByPackages({ what: 'strace', purpose: 'Counting syncs', packages: ['strace'], works });
}
