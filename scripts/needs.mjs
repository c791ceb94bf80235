import { join } from 'node:path';
import { provideCCompiler } from './c-compiler.mjs';
import { provideCurl, providePython } from './document-tools.mjs';
import { provideFaketime } from './faketime.mjs';
import { buildAddon, quickestRoute, whyNotBuilt } from './rocksdb-addon.mjs';
import { libraryName, provideRocksdbLibrary, rocksdbVersions } from './rocksdb-library.mjs';
import { provideSchemathesis } from './schemathesis.mjs';
import { provideConfluentKafka, provideKcat } from './services/foreign-clients.mjs';
import { provideKafka } from './services/kafka-installation.mjs';
import { provideRedis } from './services/redis.mjs';
import { prefixOf, serviceKinds, shareService } from './services/shared.mjs';
import { provideStrace } from './strace.mjs';
import { provideRuntimes, provideStoragePrograms } from './upstream.mjs';

/** @import { ServiceKind } from './services/shared.mjs' */

/**
 * What suites may need besides Node, by the names that `suites.mjs` uses. Each is provided before the tests start and
 * may return environment variables for them (addresses of services, for instance) and how to take it away afterwards.
 * Throws when it cannot be provided: a suite that cannot run has not passed.
 *
 * `Kafka` and `Redis` are shared by all tests of a run; those that `can be started` are for tests that stop and kill
 * theirs, which must run on this machine even where the shared one does not.
 *
 * @typedef {{ environment?: Record<string, string>, close?: () => Promise<void> }} Provided
 * @type {Record<string, (scratch: string) => Promise<Provided | void>>}
 */
export const needs = {
  'C compiler': provideCCompiler,
  curl: provideCurl,
  Python: providePython,
  schemathesis: provideSchemathesis,
  'a Kafka that can be started': async () => void (await provideKafka()),
  'a Redis that can be started': provideRedis,
  Kafka: (scratch) => provideService(serviceKinds.kafka, scratch),
  Redis: (scratch) => provideService(serviceKinds.redis, scratch),
  kcat: provideKcat,
  'RocksDB libraries': provideRocksdbLibraries,
  'RocksDB addon': async () => void (await buildAddon(quickestRoute())),
  strace: provideStrace,
  faketime: provideFaketime,
  'macp-storage': provideStoragePrograms,
  'macp-runtime': provideRuntimes,
  'confluent-kafka for Python': provideConfluentKafka,
};

/**
 * RocksDB as the releases of macp-storage stand on it, to look at our stores with.
 *
 * @returns {Promise<Provided>}
 */
async function provideRocksdbLibraries() {
  /** @type {Record<string, string>} */
  const environment = {};
  for (const version of rocksdbVersions) {
    const name = `MACP_PERSIST_TEST_ROCKSDB_${version.replaceAll('.', '_')}`;
    environment[name] = join(await provideRocksdbLibrary(version), libraryName);
  }
  return { environment };
}

/**
 * What is not brought to a machine that lacks what it is made with: the suites that need it are left out there, and
 * named. Tells the reason, or undefined where it can be provided.
 *
 * @type {Record<string, () => string | undefined>}
 */
export const absences = { 'RocksDB addon': whyNotBuilt };

/**
 * @param {ServiceKind} kind
 * @param {string} scratch
 * @returns {Promise<Provided>}
 */
async function provideService(kind, scratch) {
  const { address, close } = await shareService(kind, scratch);
  return { environment: { [kind.variable]: address, MACP_PERSIST_TEST_PREFIX: prefixOf(scratch) }, close };
}
