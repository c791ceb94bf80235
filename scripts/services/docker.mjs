import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { root } from '../project.mjs';
import { freePorts } from './ports.mjs';

const file = join(root, 'scripts/services/compose.yml');

/** Whether Docker runs here, and Compose with it. */
export function hasDocker() {
  return ['info', 'compose version'].every((words) => spawnSync('docker', words.split(' ')).status === 0);
}

/**
 * Starts a service of `compose.yml` at a free port, and resolves once it is healthy; undefined, after Docker said why
 * and what it made was removed, when it does not become so.
 *
 * @param {'kafka' | 'redis'} service
 * @returns {Promise<{ port: number, close: () => Promise<void> } | undefined>}
 */
export async function startInDocker(service) {
  const [port = 0] = await freePorts(1);
  const project = `macp-persist-${service}-${randomBytes(4).toString('hex')}`;
  /** @param {string[]} words */
  const compose = (...words) =>
    spawnSync('docker', ['compose', '--file', file, '--project-name', project, ...words], {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, SERVICE_PORT: String(port) },
    }).status === 0;
  const close = async () => void compose('down', '--volumes', '--timeout', '5');
  if (compose('up', '--detach', '--wait', service)) return { port, close };
  await close();
  return undefined;
}
