/**
 * `npm run chaos`: the suite `chaos` in full. Kafka, workers, publishers and stores are killed, hung and replaced until
 * all commands are persisted, with the broker away for two minutes once; then topic and stores are compared.
 * `-- --seed N` another order of what happens, `--commands N` (100000 at least), `--away SECONDS` (120), `--minutes N`: on with
 * the next seeds until they are over.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Refusal, root } from './project.mjs';

const fallbacks = { seed: '1', commands: '100000', away: '120', minutes: '0' };

/** The choices as the suite's environment variables. */
function choose() {
  /** @type {Record<string, { type: 'string' }>} */
  const options = Object.fromEntries(Object.keys(fallbacks).map((name) => [name, { type: 'string' }]));
  const { values } = parseArgs({ options });
  const chosen = { ...fallbacks, ...values };
  for (const [name, value] of Object.entries(chosen)) {
    if (!/^[0-9]{1,9}$/.test(value)) throw new Refusal(`--${name} is a whole number, not ${value}.`);
  }
  if (Number(chosen.commands) < Number(fallbacks.commands)) {
    throw new Refusal(`With fewer than ${fallbacks.commands} commands there are too few for everything to happen.`);
  }
  return Object.fromEntries(Object.entries(chosen).map(([name, value]) => [`CHAOS_${name.toUpperCase()}`, value]));
}

try {
  const environment = { ...process.env, ...choose() };
  const program = [join(root, 'scripts/test.mjs'), 'chaos'];
  const { status } = spawnSync(process.execPath, program, { env: environment, stdio: 'inherit' });
  process.exitCode = status ?? 1;
} catch (error) {
  console.error(error instanceof Refusal || error instanceof TypeError ? error.message : error);
  process.exitCode = 2;
}
