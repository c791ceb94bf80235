import { spawnSync } from 'node:child_process';
import { provideByPackages } from '../debian-packages.mjs';

const purpose = 'Publishing with clients of other languages';
/** Debian's packages of Python are for Debian's Python, whatever other `python3` comes first. */
const pythons = ['python3', '/usr/bin/python3'];

/** Makes sure that there is `kcat`. */
export async function provideKcat() {
  const works = () => spawnSync('kcat', ['-V']).status === 0;
  await provideByPackages({ what: 'kcat', purpose, packages: ['kcat'], works });
}

/** Makes sure that a Python has confluent-kafka, and tells the tests which, as `MACP_PERSIST_TEST_PYTHON`. */
export async function provideConfluentKafka() {
  /** @param {string} python */
  const has = (python) => spawnSync(python, ['-c', 'import confluent_kafka']).status === 0;
  await provideByPackages({
    what: 'confluent-kafka for Python',
    purpose,
    packages: ['python3-confluent-kafka'],
    works: () => pythons.some(has),
  });
  return { environment: { MACP_PERSIST_TEST_PYTHON: pythons.find(has) ?? '' } };
}
