import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { javaCommand, kafkaIsReady, provideKafka, randomIdentity } from './kafka-installation.mjs';
import { brokerProperties, plain, propertiesFile } from './kafka-properties.mjs';
import { freePorts } from './ports.mjs';
import { startServer } from './server.mjs';

/** @import { KafkaNode, Listener } from './kafka-properties.mjs' */
/** @import { ServerProcess } from './server.mjs' */

/**
 * One broker of a cluster. It keeps its address and its data over stops and kills.
 *
 * @typedef {object} LocalBroker
 * @property {(listener?: string) => string} address `host:port` of a listener; as it stands, of the plain one
 * @property {string} log the file that holds what it says
 * @property {() => Promise<void>} start resolves once it serves; at once where it runs
 * @property {() => Promise<void>} stop with SIGTERM: it hands over what it leads, and ends
 * @property {() => Promise<void>} kill with SIGKILL
 * @property {() => void} pause with SIGSTOP: nothing of it works any more when this returns
 * @property {() => void} resume with SIGCONT
 *
 * @typedef {object} LocalKafka a cluster of one or more brokers on this machine
 * @property {readonly LocalBroker[]} brokers
 * @property {(listener?: string) => string} addresses `host:port` of every broker, with commas between
 * @property {() => Promise<void>} stop all of its brokers
 *
 * @typedef {object} KafkaOptions
 * @property {string} directory where everything is kept; whoever gives it removes it
 * @property {number} [nodes] 1 unless said otherwise
 * @property {readonly Listener[]} [listeners] besides the plain one
 * @property {Record<string, string>} [properties] settings instead of those of `kafka-properties.mjs`
 * @property {string} [metadata] a directory with a `bootstrap.checkpoint` of its own
 */

/**
 * Starts a Kafka cluster on free ports of this machine, installing first what is missing.
 *
 * @param {KafkaOptions} options
 * @returns {Promise<LocalKafka>}
 */
export async function startKafka({ directory, nodes: count = 1, listeners = [], properties = {}, metadata }) {
  const installation = await provideKafka();
  const names = [plain.name, ...listeners.map(({ name }) => name), 'CONTROLLER'];
  const ports = await freePorts(names.length * count);
  /** @type {KafkaNode[]} */
  const nodes = Array.from({ length: count }, (_, index) => ({
    id: index + 1,
    directory: join(directory, `broker-${index + 1}`),
    ports: Object.fromEntries(names.map((name, place) => [name, ports[index * names.length + place] ?? 0])),
  }));
  const cluster = randomIdentity();
  for (const node of nodes) {
    lay(node, cluster, metadata ?? join(installation, 'metadata'));
    const settings = brokerProperties(node, nodes, listeners, properties);
    writeFileSync(join(node.directory, 'server.properties'), propertiesFile(settings));
  }
  const brokers = nodes.map((node) => localBroker(installation, node));
  const stop = async () => void (await Promise.all(brokers.map((broker) => broker.stop())));
  try {
    await Promise.all(brokers.map((broker) => broker.start()));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    brokers,
    addresses: (listener) => brokers.map((broker) => broker.address(listener)).join(','),
    stop,
  };
}

/**
 * Makes a node's data directory, as `kafka-storage format` would: with the identities of cluster and node.
 *
 * @param {KafkaNode} node
 * @param {string} cluster
 * @param {string} metadata
 */
function lay(node, cluster, metadata) {
  const data = join(node.directory, 'data');
  mkdirSync(data, { recursive: true });
  const identities = {
    version: '1',
    'cluster.id': cluster,
    'node.id': String(node.id),
    'directory.id': randomIdentity(),
  };
  writeFileSync(join(data, 'meta.properties'), propertiesFile(identities));
  copyFileSync(join(metadata, 'bootstrap.checkpoint'), join(data, 'bootstrap.checkpoint'));
}

/**
 * @param {string} installation
 * @param {KafkaNode} node
 * @returns {LocalBroker}
 */
function localBroker(installation, node) {
  const log = join(node.directory, 'broker.log');
  const options = ['-XX:SharedArchiveFile=classes.jsa', `-Dbroker.log=${log}`];
  const command = javaCommand(installation, 'kafka.Kafka', [join(node.directory, 'server.properties')], options);
  /** @type {ServerProcess | undefined} */
  let running;
  return {
    address: (listener = plain.name) => `127.0.0.1:${node.ports[listener]}`,
    log,
    start: async () => {
      if (!running?.isRunning()) running = await startServer({ ...command, name: 'Kafka', ready: kafkaIsReady });
    },
    stop: async () => running?.stop(),
    kill: async () => running?.kill(),
    pause: () => running?.pause(),
    resume: () => running?.resume(),
  };
}
