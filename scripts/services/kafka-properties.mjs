/**
 * The settings of a Kafka broker for tests and development: small, quick to start, and strict.
 *
 * @typedef {object} Listener an address at which a broker serves clients
 * @property {string} name
 * @property {'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL'} protocol
 * @property {Record<string, string>} [properties] settings of this listener, by their names within the listener
 *
 * @typedef {object} KafkaNode one broker, which is a controller as well
 * @property {number} id from 1
 * @property {string} directory where it keeps its data, its log and its settings
 * @property {Record<string, number>} ports by the names of its listeners and `CONTROLLER`
 */

/** A command is at most 16 MiB; a batch of several is refused only where nobody would send it. */
const largestBatch = 32 * 1024 * 1024;

/** The listener over which the brokers speak with one another, and clients where nothing is said about security. */
export const plain = /** @type {const} */ ({ name: 'PLAINTEXT', protocol: 'PLAINTEXT' });

/**
 * @param {KafkaNode} node
 * @param {readonly KafkaNode[]} nodes the whole cluster, this node included
 * @param {readonly Listener[]} listeners besides `PLAINTEXT`, which every broker has
 * @param {Record<string, string>} more settings that stand instead of those here
 * @returns {Record<string, string>}
 */
export function brokerProperties(node, nodes, listeners, more) {
  const all = [plain, ...listeners];
  const replicas = String(nodes.length);
  const quorum = String(Math.floor(nodes.length / 2) + 1);
  /** @param {string} name */
  const address = (name) => `${name}://127.0.0.1:${node.ports[name]}`;
  return {
    'process.roles': 'broker,controller',
    'node.id': String(node.id),
    'controller.quorum.voters': nodes.map(({ id, ports }) => `${id}@127.0.0.1:${ports['CONTROLLER']}`).join(','),
    listeners: [...all.map(({ name }) => address(name)), address('CONTROLLER')].join(','),
    'advertised.listeners': all.map(({ name }) => address(name)).join(','),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': plain.name,
    'listener.security.protocol.map': [...all, { name: 'CONTROLLER', protocol: 'PLAINTEXT' }]
      .map(({ name, protocol }) => `${name}:${protocol}`)
      .join(','),
    'log.dirs': `${node.directory}/data`,

    'auto.create.topics.enable': 'false',
    'message.max.bytes': String(largestBatch),
    'replica.fetch.max.bytes': String(largestBatch),

    'offsets.topic.num.partitions': '4',
    'offsets.topic.replication.factor': replicas,
    'transaction.state.log.num.partitions': '4',
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': quorum,
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': quorum,

    // A killed broker is known to be dead soon, and is let in again soon.
    'broker.session.timeout.ms': '1500',
    'broker.heartbeat.interval.ms': '300',
    'group.initial.rebalance.delay.ms': '0',
    'group.min.session.timeout.ms': '1000',
    'transaction.abort.timed.out.transaction.cleanup.interval.ms': '1000',
    'log.initial.task.delay.ms': '1000',
    'log.retention.check.interval.ms': '1000',

    // As little memory and as few threads as serve a few clients.
    'log.cleaner.dedupe.buffer.size': String(4 * 1024 * 1024),
    'num.network.threads': '2',
    'num.io.threads': '4',
    'background.threads': '2',

    ...Object.fromEntries(
      listeners.flatMap(({ name, properties }) =>
        Object.entries(properties ?? {}).map(([key, value]) => [`listener.name.${name.toLowerCase()}.${key}`, value]),
      ),
    ),
    ...more,
  };
}

/**
 * A Java properties file.
 *
 * @param {Record<string, string>} properties
 */
export function propertiesFile(properties) {
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n`)
    .join('');
}
