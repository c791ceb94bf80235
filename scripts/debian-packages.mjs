import { spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline/promises';
import { Refusal } from './project.mjs';

/**
 * Makes sure that something works on this machine, by installing Debian packages where it does not: as root, and at a
 * terminal only if the person there agrees. Throws a Refusal that says what to do where that is not possible.
 *
 * @param {{ what: string, purpose: string, packages: readonly string[], works: () => boolean }} need `what` is needed,
 *   for instance `a C compiler called cc`; `purpose` is who needs it, for instance `The power-cut suite`
 */
export async function provideByPackages({ what, purpose, packages, works }) {
  if (works()) return;
  const install = `apt-get install -y ${packages.join(' ')}`;
  const asRoot = process.getuid?.() === 0;
  if (!asRoot || spawnSync('apt-get', ['--version']).status !== 0) {
    throw new Refusal(`${purpose} needs ${what}. On Debian or Ubuntu: sudo ${install}`);
  }
  if (process.stdin.isTTY && !(await agreed(`${purpose} needs ${what}. Run ${install}?`))) {
    throw new Refusal(`${purpose} cannot run without ${what}.`);
  }
  console.log(`${purpose} needs ${what}: ${install}`);
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  // The lists are fetched only when needed: on a fresh machine there are none.
  for (const parameters of [['install'], ['update'], ['install']]) {
    const last = parameters[0] === 'update' ? [] : ['-y', ...packages];
    spawnSync('apt-get', ['-q', ...parameters, ...last], { stdio: 'inherit', env: environment });
    if (works()) return;
  }
  throw new Refusal(`${install} did not bring ${what} that works.`);
}

/** @param {string} question */
async function agreed(question) {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^(|y|yes)$/i.test((await terminal.question(`${question} [Y/n] `)).trim());
  } finally {
    terminal.close();
  }
}
