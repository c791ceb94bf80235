import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Refusal } from '../project.mjs';
import { freePorts } from './ports.mjs';
import { startRedis } from './redis.mjs';

/** @import { LocalRedis } from './redis.mjs' */

/**
 * @typedef {object} LocalRedisCluster
 * @property {readonly LocalRedis[]} nodes the masters, then their replicas
 * @property {() => Promise<void>} stop all of its nodes
 *
 * @typedef {object} RedisClusterOptions
 * @property {string} directory
 * @property {number} [replicas] of each master; none unless said otherwise
 * @property {Readonly<Record<string, string>>} [settings] of every node
 */

const masters = 3;
/** Milliseconds that a cluster may take, far more than it does. */
const patience = 60_000;

/**
 * Starts a real Redis Cluster of three masters on this machine, and resolves once it serves every slot.
 *
 * @param {RedisClusterOptions} options
 * @returns {Promise<LocalRedisCluster>}
 */
export async function startRedisCluster({ directory, replicas = 0, settings = {} }) {
  const count = masters * (1 + replicas);
  const buses = await freePorts(count);
  const nodes = await Promise.all(
    buses.map((bus, index) =>
      startRedis({
        directory: join(directory, `node-${index + 1}`),
        settings: {
          'cluster-enabled': 'yes',
          'cluster-port': String(bus),
          // A node that does not answer is replaced soon.
          'cluster-node-timeout': '1000',
          ...settings,
        },
      }),
    ),
  );
  const stop = async () => void (await Promise.all(nodes.map((node) => node.stop())));
  try {
    const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
    redisCli('--cluster', 'create', ...addresses, '--cluster-replicas', String(replicas), '--cluster-yes');
    const deadline = Date.now() + patience;
    while (!nodes.every(({ port }) => serves(port, replicas))) {
      if (Date.now() > deadline) throw new Refusal('The Redis Cluster does not come to serve every slot.');
      await sleep(50);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { nodes, stop };
}

/**
 * Whether a node knows every slot to be served, and all replicas to be connected with their masters.
 *
 * @param {number} port
 * @param {number} replicas
 */
function serves(port, replicas) {
  const state = redisCli('-p', String(port), 'cluster', 'info');
  const known = redisCli('-p', String(port), 'cluster', 'nodes').split('\n');
  const following = known.filter((line) => /[ ,]slave .* connected/.test(line)).length;
  return /cluster_state:ok/.test(state) && following === masters * replicas;
}

/** @param {string[]} parameters */
function redisCli(...parameters) {
  const { status, stdout, stderr } = spawnSync('redis-cli', parameters, { encoding: 'utf8' });
  if (status !== 0) throw new Refusal(`redis-cli ${parameters.join(' ')} failed:\n${stdout}${stderr}`);
  return stdout;
}
