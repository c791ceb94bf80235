import type { ErrorCode } from '../../../domain/errors.ts';

/** An error that brokers name by number (https://kafka.apache.org/protocol, "Error Codes"). */
export interface BrokerError {
  readonly name: string;
  readonly code: ErrorCode;
}

/** By what they mean here. The names are kafkajs's where it has one; newer errors have Apache Kafka's. */
const byMeaning: Readonly<Partial<Record<ErrorCode, Readonly<Record<number, string>>>>> = {
  // Another leader, coordinator, generation or attempt mends these.
  QUEUE_UNAVAILABLE: {
    2: 'CORRUPT_MESSAGE',
    5: 'LEADER_NOT_AVAILABLE',
    6: 'NOT_LEADER_FOR_PARTITION',
    7: 'REQUEST_TIMED_OUT',
    8: 'BROKER_NOT_AVAILABLE',
    9: 'REPLICA_NOT_AVAILABLE',
    11: 'STALE_CONTROLLER_EPOCH',
    13: 'NETWORK_EXCEPTION',
    14: 'GROUP_LOAD_IN_PROGRESS',
    15: 'GROUP_COORDINATOR_NOT_AVAILABLE',
    16: 'NOT_COORDINATOR_FOR_GROUP',
    19: 'NOT_ENOUGH_REPLICAS',
    20: 'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
    22: 'ILLEGAL_GENERATION',
    25: 'UNKNOWN_MEMBER_ID',
    27: 'REBALANCE_IN_PROGRESS',
    41: 'NOT_CONTROLLER',
    45: 'OUT_OF_ORDER_SEQUENCE_NUMBER',
    46: 'DUPLICATE_SEQUENCE_NUMBER',
    48: 'INVALID_TXN_STATE',
    49: 'INVALID_PRODUCER_ID_MAPPING',
    51: 'CONCURRENT_TRANSACTIONS',
    52: 'TRANSACTION_COORDINATOR_FENCED',
    55: 'OPERATION_NOT_ATTEMPTED',
    56: 'KAFKA_STORAGE_ERROR',
    57: 'LOG_DIR_NOT_FOUND',
    59: 'UNKNOWN_PRODUCER_ID',
    60: 'REASSIGNMENT_IN_PROGRESS',
    70: 'FETCH_SESSION_ID_NOT_FOUND',
    71: 'INVALID_FETCH_SESSION_EPOCH',
    72: 'LISTENER_NOT_FOUND',
    74: 'FENCED_LEADER_EPOCH',
    75: 'UNKNOWN_LEADER_EPOCH',
    77: 'STALE_BROKER_EPOCH',
    78: 'OFFSET_NOT_AVAILABLE',
    79: 'MEMBER_ID_REQUIRED',
    80: 'PREFERRED_LEADER_NOT_AVAILABLE',
    82: 'FENCED_INSTANCE_ID',
    83: 'ELIGIBLE_LEADERS_NOT_AVAILABLE',
    84: 'ELECTION_NOT_NEEDED',
    85: 'NO_REASSIGNMENT_IN_PROGRESS',
    88: 'UNSTABLE_OFFSET_COMMIT',
    89: 'THROTTLING_QUOTA_EXCEEDED',
    104: 'INCONSISTENT_TOPIC_ID',
    105: 'TRANSACTIONAL_ID_NOT_FOUND',
    106: 'FETCH_SESSION_TOPIC_ID_ERROR',
    108: 'NEW_LEADER_ELECTED',
    109: 'OFFSET_MOVED_TO_TIERED_STORAGE',
    110: 'FENCED_MEMBER_EPOCH',
    113: 'STALE_MEMBER_EPOCH',
    120: 'TRANSACTION_ABORTABLE',
    129: 'REBOOTSTRAP_REQUIRED',
  },
  SOURCE_LOST_HISTORY: { 1: 'OFFSET_OUT_OF_RANGE' },
  WRITER_FENCED: { 47: 'INVALID_PRODUCER_EPOCH', 90: 'PRODUCER_FENCED' },
  // The topic is missing, or not set up for commands. A broker that has just started may not know a topic yet: whoever
  // has seen it asks again.
  QUEUE_UNSAFE: {
    3: 'UNKNOWN_TOPIC_OR_PARTITION',
    10: 'MESSAGE_TOO_LARGE',
    18: 'RECORD_LIST_TOO_LARGE',
    32: 'INVALID_TIMESTAMP',
    43: 'UNSUPPORTED_FOR_MESSAGE_FORMAT',
    87: 'INVALID_RECORD',
    100: 'UNKNOWN_TOPIC_ID',
  },
  // Settings, theirs or ours: who we are, what we may do, what was asked for.
  INVALID_CONFIGURATION: {
    12: 'OFFSET_METADATA_TOO_LARGE',
    17: 'INVALID_TOPIC_EXCEPTION',
    23: 'INCONSISTENT_GROUP_PROTOCOL',
    24: 'INVALID_GROUP_ID',
    26: 'INVALID_SESSION_TIMEOUT',
    28: 'INVALID_COMMIT_OFFSET_SIZE',
    29: 'TOPIC_AUTHORIZATION_FAILED',
    30: 'GROUP_AUTHORIZATION_FAILED',
    31: 'CLUSTER_AUTHORIZATION_FAILED',
    33: 'UNSUPPORTED_SASL_MECHANISM',
    34: 'ILLEGAL_SASL_STATE',
    36: 'TOPIC_ALREADY_EXISTS',
    37: 'INVALID_PARTITIONS',
    38: 'INVALID_REPLICATION_FACTOR',
    39: 'INVALID_REPLICA_ASSIGNMENT',
    40: 'INVALID_CONFIG',
    44: 'POLICY_VIOLATION',
    50: 'INVALID_TRANSACTION_TIMEOUT',
    53: 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
    54: 'SECURITY_DISABLED',
    58: 'SASL_AUTHENTICATION_FAILED',
    61: 'DELEGATION_TOKEN_AUTH_DISABLED',
    62: 'DELEGATION_TOKEN_NOT_FOUND',
    63: 'DELEGATION_TOKEN_OWNER_MISMATCH',
    64: 'DELEGATION_TOKEN_REQUEST_NOT_ALLOWED',
    65: 'DELEGATION_TOKEN_AUTHORIZATION_FAILED',
    66: 'DELEGATION_TOKEN_EXPIRED',
    67: 'INVALID_PRINCIPAL_TYPE',
    68: 'NON_EMPTY_GROUP',
    69: 'GROUP_ID_NOT_FOUND',
    73: 'TOPIC_DELETION_DISABLED',
    81: 'GROUP_MAX_SIZE_REACHED',
    86: 'GROUP_SUBSCRIBED_TO_TOPIC',
  },
  NOT_SUPPORTED: { 35: 'UNSUPPORTED_VERSION', 76: 'UNSUPPORTED_COMPRESSION_TYPE' },
  // What this program must never send.
  UNEXPECTED: {
    [-1]: 'UNKNOWN',
    4: 'INVALID_FETCH_SIZE',
    21: 'INVALID_REQUIRED_ACKS',
    42: 'INVALID_REQUEST',
  },
};

const byNumber: ReadonlyMap<number, BrokerError> = new Map(
  (Object.keys(byMeaning) as ErrorCode[]).flatMap((code) =>
    Object.entries(byMeaning[code] ?? {}).map(([number, name]) => [Number(number), { name, code }] as const),
  ),
);

/** What the broker's error with this number means; `UNEXPECTED` for one that was not foreseen. */
export function brokerErrorOf(number: number): BrokerError {
  return byNumber.get(number) ?? { name: `error ${number}`, code: 'UNEXPECTED' };
}
