import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * The ports that are tried: below those that systems give to outgoing connections (32768 on Linux, 49152 elsewhere).
 * There, a client that tries again and again to reach a server that is down is at last given its own port as the
 * source, and is connected with itself; and a server that comes back finds its port taken.
 */
const [lowest, highest] = [12_000, 32_000];

/**
 * Given to somebody who may not listen there yet, as the nodes of a cluster, which are started together.
 *
 * @type {Set<number>}
 */
const given = new Set();

/**
 * Ports of this machine at which nothing listens, which no outgoing connection takes, and which this process has not
 * given to anybody before.
 *
 * @param {number} count
 * @returns {Promise<number[]>}
 */
export async function freePorts(count) {
  const ports = new Set();
  while (ports.size < count) {
    const port = randomInt(lowest, highest);
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

/** @param {number} port */
async function isFree(port) {
  const server = createServer();
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
