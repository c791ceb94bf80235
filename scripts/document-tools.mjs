import { spawnSync } from 'node:child_process';
import { provideByPackages } from './debian-packages.mjs';

const purpose = 'Running the examples of the documents';

/** Makes sure that there is `curl`. */
export async function provideCurl() {
  const works = () => spawnSync('curl', ['--version']).status === 0;
  await provideByPackages({ what: 'curl', purpose, packages: ['curl'], works });
}

/** Makes sure that there is `python3` with its standard library. */
export async function providePython() {
  const probe = 'import json, sys, urllib.request, uuid; sys.exit(sys.version_info < (3, 8))';
  const works = () => spawnSync('python3', ['-c', probe]).status === 0;
  await provideByPackages({ what: 'Python 3.8 or newer called python3', purpose, packages: ['python3'], works });
}
