import { basename, join } from 'node:path';
import { Refusal } from '../project.mjs';
import { cleanKafka, cleanRedis, reachKafka, reachRedis } from './cleaning.mjs';
import { hasDocker, startInDocker } from './docker.mjs';
import { startKafka } from './kafka.mjs';
import { kafkaVersion } from './kafka-installation.mjs';
import { startRedis } from './redis.mjs';

/**
 * One service that many use at a time, and nobody stops: given by an address, else in Docker, else on this machine.
 *
 * @typedef {object} SharedService
 * @property {string} name
 * @property {string} variable names the environment variable that gives its address to tests
 * @property {'given' | 'Docker Compose' | 'this machine'} origin
 * @property {string} address
 * @property {() => Promise<void>} close stops what was started; of a given one, removes what is under the prefix
 *
 * @typedef {object} ServiceKind
 * @property {string} name
 * @property {'kafka' | 'redis'} service its name in `compose.yml`
 * @property {string} variable names the environment variable that gives an address
 * @property {(port: number) => string} address of the service at a port of this machine
 * @property {(directory: string) => Promise<{ address: string, close: () => Promise<void> }>} start on this machine
 * @property {(address: string) => Promise<unknown>} reach throws when nobody answers there
 * @property {(address: string, prefix: string) => Promise<void>} clean
 */

/** @type {ServiceKind} */
const kafka = {
  name: 'Kafka',
  service: 'kafka',
  variable: 'MACP_PERSIST_TEST_KAFKA',
  address: (port) => `127.0.0.1:${port}`,
  start: async (directory) => {
    const { addresses, stop } = await startKafka({ directory });
    return { address: addresses(), close: stop };
  },
  reach: reachKafka,
  clean: cleanKafka,
};

/** @type {ServiceKind} */
const redis = {
  name: 'Redis',
  service: 'redis',
  variable: 'MACP_PERSIST_TEST_REDIS',
  address: (port) => `redis://127.0.0.1:${port}`,
  start: async (directory) => {
    const { port, stop } = await startRedis({ directory });
    return { address: redis.address(port), close: stop };
  },
  reach: reachRedis,
  clean: cleanRedis,
};

export const serviceKinds = { kafka, redis };

/**
 * Brings up a service, and says which it is.
 *
 * @param {ServiceKind} kind
 * @param {string} scratch a directory of this run; its name is what everything of this run begins with
 * @returns {Promise<SharedService>}
 */
export async function shareService(kind, scratch) {
  const service = await find(kind, scratch);
  const version = kind === kafka && service.origin === 'this machine' ? ` ${kafkaVersion}` : '';
  console.log(`${kind.name}${version}: ${withoutSecrets(service.address)} (${service.origin})`);
  return service;
}

/**
 * @param {ServiceKind} kind
 * @param {string} scratch
 * @returns {Promise<SharedService>}
 */
async function find(kind, scratch) {
  const { name, variable } = kind;
  const given = process.env[variable];
  if (given) {
    await reach(kind, given);
    return { name, variable, origin: 'given', address: given, close: () => kind.clean(given, prefixOf(scratch)) };
  }
  if (hasDocker()) {
    const container = await startInDocker(kind.service);
    if (container !== undefined) {
      return {
        name,
        variable,
        origin: 'Docker Compose',
        address: kind.address(container.port),
        close: container.close,
      };
    }
    console.log(`Docker Compose did not bring up ${name}: it is started on this machine instead.`);
  }
  return { name, variable, origin: 'this machine', ...(await kind.start(join(scratch, kind.service))) };
}

/**
 * @param {ServiceKind} kind
 * @param {string} address
 */
async function reach(kind, address) {
  try {
    await kind.reach(address);
  } catch (error) {
    const reason = error instanceof Error ? error.message : error;
    throw new Refusal(`${kind.variable} names ${withoutSecrets(address)}, where no ${kind.name} answers: ${reason}`);
  }
}

/**
 * What the names of topics, groups and keys of a run begin with.
 *
 * @param {string} scratch
 */
export function prefixOf(scratch) {
  return `${basename(scratch)}-`;
}

/**
 * An address without the user and the password that it may hold.
 *
 * @param {string} address
 */
export function withoutSecrets(address) {
  return address.replace(/\/\/[^/]*@/, '//');
}
