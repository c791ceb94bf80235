import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { root } from '../../scripts/project.mjs';
import { kafkaVersion } from '../../scripts/services/kafka-installation.mjs';
import { brokerProperties } from '../../scripts/services/kafka-properties.mjs';
import { parseQueueReference, parseStoreReference } from '../../src/configuration/addresses.ts';
import { variableOf } from '../../src/configuration/names.ts';
import { settingsTable } from '../../src/configuration/settings.ts';

interface ComposeService {
  readonly image: string;
  readonly command?: readonly string[];
  readonly environment: Readonly<Record<string, unknown>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly restart?: string;
  readonly healthcheck?: unknown;
  readonly stop_grace_period?: string;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}
interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes?: Readonly<Record<string, unknown>>;
}

const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const compose = (path: string): ComposeFile => parse(read(path), { merge: true });
const serviceOf = ({ services }: ComposeFile, name: string): ComposeService => {
  const service = services[name];
  if (service === undefined) throw new TypeError(`no service ${name}`);
  return service;
};

const cluster = compose('docker-compose.cluster.yml');
const forTests = compose('scripts/services/compose.yml');
const programs = ['init', 'worker', 'api'];

describe.each([
  ['docker-compose.cluster.yml', cluster],
  ['scripts/services/compose.yml', forTests],
])('%s', (_, file) => {
  test('reaches nothing but this machine, with images of one version', () => {
    for (const { image, ports = [] } of Object.values(file.services)) {
      expect(image).toMatch(/^macp-persist$|:[0-9]+\.[0-9]+\.[0-9]+$/);
      for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
    }
  });

  test('runs the Kafka that the tests run without Docker, with settings that it has', () => {
    const { image, environment } = serviceOf(file, 'kafka');
    expect(image).toBe(`apache/kafka:${kafkaVersion}`);
    const node = { id: 1, directory: '/', ports: { PLAINTEXT: 1, CONTROLLER: 2 } };
    const here = brokerProperties(node, [node], [], {});
    const names = Object.keys(environment).map((name) =>
      name
        .replace(/^KAFKA_/, '')
        .toLowerCase()
        .replaceAll('_', '.'),
    );
    // What only the file for users sets: the tests do not cut the power.
    const beside = ['log.flush.interval.messages'];
    for (const name of names) expect([...Object.keys(here), ...beside]).toContain(name);
    for (const name of ['message.max.bytes', 'auto.create.topics.enable', 'offsets.topic.replication.factor']) {
      const variable = `KAFKA_${name.toUpperCase().replaceAll('.', '_')}`;
      expect(String(environment[variable]), name).toBe(here[name]);
    }
  });

  test('runs a Redis that syncs every write, and waits until both are healthy', () => {
    const { command = [] } = serviceOf(file, 'redis');
    expect(command.join(' ')).toContain('--appendonly yes --appendfsync always');
    for (const name of ['kafka', 'redis']) expect(serviceOf(file, name).healthcheck).toBeDefined();
  });
});

describe('the cluster of docker-compose.cluster.yml', () => {
  test('keeps what is in Kafka and Redis on volumes', () => {
    expect(Object.keys(cluster.volumes ?? {})).toEqual(['kafka', 'redis']);
    expect(serviceOf(cluster, 'kafka').volumes).toEqual([
      `kafka:${serviceOf(cluster, 'kafka').environment['KAFKA_LOG_DIRS']}`,
    ]);
    expect(serviceOf(cluster, 'redis').volumes).toEqual(['redis:/data']);
  });

  test.each(programs)('%s names only settings that there are, and the services of the file', (name) => {
    const { environment } = serviceOf(cluster, name);
    const known = Object.keys(settingsTable({ stores: ['redis'], queues: ['kafka'] })).map(variableOf);
    for (const variable of Object.keys(environment)) expect(known).toContain(variable);
    const queue = parseQueueReference(String(environment['MACP_PERSIST_QUEUE']), ['kafka']);
    const store = parseStoreReference(String(environment['MACP_PERSIST_STORE']), ['redis']);
    const listeners = String(serviceOf(cluster, 'kafka').environment['KAFKA_ADVERTISED_LISTENERS']);
    expect(queue).toMatchObject({ kind: 'kafka', brokers: [listeners.replace('PLAINTEXT://', '')] });
    expect(store).toMatchObject({ kind: 'redis', host: 'redis' });
    expect(Object.keys(cluster.services)).toEqual(expect.arrayContaining(['kafka', 'redis']));
  });

  test('workers and API begin once the topics are made, and are started again when they end; init is not', () => {
    expect(programs.map((name) => serviceOf(cluster, name).command)).toEqual([['init'], ['worker'], ['serve']]);
    for (const name of ['worker', 'api']) {
      const { depends_on: awaited, restart } = serviceOf(cluster, name);
      expect(awaited).toEqual({
        init: { condition: 'service_completed_successfully' },
        redis: { condition: 'service_healthy' },
      });
      expect(restart).toBe('unless-stopped');
    }
    expect(serviceOf(cluster, 'init').restart).toBeUndefined();
  });

  test('a worker can run many times: it has no port and no name of its own', () => {
    const worker = serviceOf(cluster, 'worker');
    expect(worker).not.toHaveProperty('ports');
    expect(worker).not.toHaveProperty('container_name');
  });
});
