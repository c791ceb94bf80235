import { type ErrorCode, PersistenceError } from '../../../domain/errors.ts';
import { type BrokerError, brokerErrorOf } from './broker-errors.ts';

/** What an ACL allows, by the names that Kafka's own tools know. */
export type Operation = 'Read' | 'Write' | 'Create' | 'Delete' | 'Describe' | 'DescribeConfigs' | 'AlterConfigs';

/**
 * What kafkajs threw, classified. Total: a PersistenceError stays as it is, and what nobody foresaw is `UNEXPECTED`.
 * `doing` begins the message, such as `reading topic commands`, which needs an `operation` to be allowed.
 */
export function kafkaFailure(thrown: unknown, doing: string, operation?: Operation): PersistenceError {
  const root = rootOf(thrown);
  if (root instanceof PersistenceError) return root;
  const broker = namedByBroker(root);
  if (broker !== undefined) return failureOf(broker, doing, { operation, cause: thrown, said: saidBy(root) });
  const code = codeOf(root);
  // OpenSSL ends its sentences with the line.
  const said = (root instanceof Error ? root.message : String(root)).trim();
  return new PersistenceError(code, `${doing}: ${said}${advice(code, root)}`, { cause: thrown });
}

/** The failure that a broker named by number, in an answer that was read here. */
export function protocolFailure(errorCode: number, doing: string, operation?: Operation): PersistenceError {
  return failureOf(brokerErrorOf(errorCode), doing, { operation });
}

/** Name of a broker's error, such as `REBALANCE_IN_PROGRESS`, however kafkajs wrapped it; undefined for other failures. */
export function brokerError(thrown: unknown): string | undefined {
  return namedByBroker(rootOf(thrown))?.name;
}

const whoWeAre = '; look at the user, its password and the mechanism';

interface Circumstances {
  readonly operation: Operation | undefined;
  readonly cause?: unknown;
  readonly said?: string;
}

function failureOf(
  { name, code }: BrokerError,
  doing: string,
  { operation, cause, said = '' }: Circumstances,
): PersistenceError {
  const message = `${doing}: Kafka refused with ${name}${said}${brokerAdvice(name, operation)}`;
  return new PersistenceError(code, message, cause === undefined ? undefined : { cause });
}

/** What the broker says itself of who cannot prove who he is; of everything else, the name says as much. */
function saidBy(error: unknown): string {
  return error instanceof Error && 'type' in error && error.type === 'SASL_AUTHENTICATION_FAILED'
    ? ` (${error.message})`
    : '';
}

function brokerAdvice(name: string, operation: Operation | undefined): string {
  if (name.endsWith('_AUTHORIZATION_FAILED')) return `; allow ${operation ?? 'it'} to this user by an ACL`;
  if (name === 'UNKNOWN_TOPIC_OR_PARTITION') return '; macp-persist init makes the topics';
  if (name === 'MESSAGE_TOO_LARGE')
    return '; raise max.message.bytes of the topic, unless macp-persist repartition has closed it';
  if (name === 'SASL_AUTHENTICATION_FAILED') return whoWeAre;
  return '';
}

/** What lies beneath the errors that kafkajs wraps around others: it does so when it gives up, and for several at once. */
function rootOf(thrown: unknown): unknown {
  let root = thrown;
  // Nobody wraps that often; a ring of causes must not hold this up.
  for (let depth = 0; depth < 16 && root instanceof Error && !(root instanceof PersistenceError); depth += 1) {
    const beneath = beneathOf(root);
    if (beneath === undefined) return root;
    root = beneath;
  }
  return root;
}

function beneathOf(error: Error): unknown {
  if (isWrapper(error.name) && error.cause !== undefined) return error.cause;
  if ('errors' in error && Array.isArray(error.errors)) return error.errors[0];
  if (!('partitions' in error) || !Array.isArray(error.partitions)) return undefined;
  return error.partitions.find((partition) => partition?.error != null)?.error;
}

function isWrapper(name: string): boolean {
  return name === 'KafkaJSNumberOfRetriesExceeded' || name === 'KafkaJSNonRetriableError' || name === 'KafkaJSError';
}

function namedByBroker(error: unknown): BrokerError | undefined {
  if (!(error instanceof Error) || !('type' in error) || !('code' in error)) return undefined;
  if (typeof error.code !== 'number') return undefined;
  // kafkajs knows no error newer than 88: it tells their numbers in the sentence only.
  const unknown = /^Unknown error code (-?\d+)$/.exec(error.message);
  return brokerErrorOf(unknown === null ? error.code : Number(unknown[1]));
}

/** Errors of kafkajs itself by their names. */
const byName: ReadonlyMap<string, ErrorCode> = new Map([
  ['KafkaJSConnectionError', 'QUEUE_UNAVAILABLE'],
  ['KafkaJSConnectionClosedError', 'QUEUE_UNAVAILABLE'],
  ['KafkaJSRequestTimeoutError', 'QUEUE_UNAVAILABLE'],
  ['KafkaJSBrokerNotFound', 'QUEUE_UNAVAILABLE'],
  ['KafkaJSNoBrokerAvailableError', 'QUEUE_UNAVAILABLE'],
  ['KafkaJSMetadataNotLoaded', 'QUEUE_UNAVAILABLE'],
  ['KafkaJSTopicMetadataNotLoaded', 'QUEUE_UNAVAILABLE'],
  ['KafkaJSStaleTopicMetadataAssignment', 'QUEUE_UNAVAILABLE'],
  ['KafkaJSGroupCoordinatorNotFound', 'QUEUE_UNAVAILABLE'],
  ['KafkaJSLockTimeout', 'QUEUE_UNAVAILABLE'],
  ['KafkaJSTimeout', 'QUEUE_UNAVAILABLE'],
  ['KafkaJSError', 'QUEUE_UNAVAILABLE'],
  ['KafkaJSSASLAuthenticationError', 'INVALID_CONFIGURATION'],
  ['KafkaJSServerDoesNotSupportApiKey', 'NOT_SUPPORTED'],
  ['KafkaJSNotImplemented', 'NOT_SUPPORTED'],
]);

/** Codes of Node.js and OpenSSL for certificates that the two sides do not accept of one another. */
const certificateCode = /CERT|^UNABLE_TO_|^ERR_TLS_|^ERR_SSL_|^ERR_OSSL_|^EPROTO$|SIGNATURE/;

/** Codes of the operating system for a broker that is away. */
const systemCodes: ReadonlySet<string> = new Set(
  'ECONNREFUSED ECONNRESET ECONNABORTED EPIPE ETIMEDOUT EHOSTUNREACH ENETUNREACH EHOSTDOWN ENETDOWN ENOTFOUND EAI_AGAIN'.split(
    ' ',
  ),
);

function codeOf(error: unknown): ErrorCode {
  if (!(error instanceof Error)) return 'UNEXPECTED';
  if (isCertificateProblem(error)) return 'INVALID_CONFIGURATION';
  const code = 'code' in error ? error.code : undefined;
  if (typeof code === 'string' && systemCodes.has(code)) return 'QUEUE_UNAVAILABLE';
  return byName.get(error.name) ?? 'UNEXPECTED';
}

function isCertificateProblem(error: Error): boolean {
  return 'code' in error && typeof error.code === 'string' && certificateCode.test(error.code);
}

function advice(code: ErrorCode, error: unknown): string {
  if (code !== 'INVALID_CONFIGURATION') return '';
  return error instanceof Error && isCertificateProblem(error)
    ? '; the certificates of the brokers and of this program have to vouch for one another'
    : whoWeAre;
}
