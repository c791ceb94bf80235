import { Kafka, type KafkaConfig, type LogEntry, logLevel } from 'kafkajs';
import { PersistenceError } from '../../../domain/errors.ts';
import { authenticationBy } from './authentication.ts';
import { mendClusters } from './cluster.ts';
import type { KafkaConnectionOptions, KafkaLog, KafkaLogLevel, KafkaTls } from './kafka-options.ts';

/**
 * Soon enough for a broker that restarts, and given up within two seconds: whoever uses the connection waits longer by
 * itself, and can be stopped while it does.
 */
const retry = { initialRetryTime: 50, maxRetryTime: 500, retries: 5 };

/**
 * The client library with its connections mended. Nothing is connected yet. `onLog` hears what the library says of
 * itself; what it throws is swallowed, because kafkajs would end its work over it.
 * Throws `INVALID_CONFIGURATION` for an address that kafkajs would misread.
 */
export function createKafka(options: KafkaConnectionOptions, onLog: KafkaLog): Kafka {
  const { brokers, clientId, tls, sasl, connectionTimeout, requestTimeout } = options;
  for (const broker of brokers) checkAddress(broker);
  if (brokers.length === 0) throw new TypeError('at least one broker has to be named');
  const kafka = new Kafka({
    brokers: [...brokers],
    clientId,
    ...(tls === undefined ? {} : { ssl: tlsOf(tls) }),
    ...(sasl === undefined ? {} : { sasl: authenticationBy(sasl) }),
    connectionTimeout,
    authenticationTimeout: connectionTimeout,
    requestTimeout,
    retry,
    logLevel: logLevel.INFO,
    logCreator: () => (entry) => forward(entry, onLog),
  });
  mendClusters(kafka);
  return kafka;
}

const address = /^[^\s:/]+:\d{1,5}$/;

/** kafkajs takes what stands before the first colon for the host, whatever follows. */
function checkAddress(broker: string): void {
  if (address.test(broker)) return;
  throw new PersistenceError(
    'INVALID_CONFIGURATION',
    `the broker ${JSON.stringify(broker)} is not written as host:port (an IPv6 address needs a name)`,
  );
}

function tlsOf({ ca, certificate, key }: KafkaTls): NonNullable<KafkaConfig['ssl']> {
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined ? {} : { cert: certificate }),
    ...(key === undefined ? {} : { key }),
  };
}

const levels: ReadonlyMap<number, KafkaLogLevel> = new Map([
  [logLevel.ERROR, 'error'],
  [logLevel.WARN, 'warn'],
  [logLevel.INFO, 'info'],
]);

/**
 * What kafkajs calls errors, though whoever asked is told as well and lives by it: a heartbeat is refused whenever the
 * group changes, and an answer comes too late whenever a connection is closed.
 */
function isRoutine(message: string): boolean {
  return message.startsWith('Response ') || message === 'Connection error: write after end';
}

/** Only the sentence and the broker are passed on: the rest of an entry may hold whole requests. */
function forward({ level, log }: LogEntry, onLog: KafkaLog): void {
  try {
    // kafkajs logs an error itself as the message in one place.
    const said: unknown = log.message;
    const message = said instanceof Error ? said.message : String(said);
    const broker: unknown = log['broker'];
    onLog(
      isRoutine(message) ? 'debug' : (levels.get(level) ?? 'debug'),
      typeof broker === 'string' ? `${message} (${broker})` : message,
    );
  } catch {
    // Whoever listens has its own ways to fail; they must not become the connection's.
  }
}
