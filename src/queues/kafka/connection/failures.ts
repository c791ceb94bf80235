import type { PersistenceError } from '../../../domain/errors.ts';

/**
 * What kafkajs threw, classified. Total: a PersistenceError stays as it is, and what nobody foresaw is `UNEXPECTED`.
 * `doing` begins the message, such as `reading topic commands`.
 */
export declare function kafkaFailure(thrown: unknown, doing: string): PersistenceError;

/** The failure that a broker named by number, in an answer that was read here. */
export declare function protocolFailure(errorCode: number, doing: string): PersistenceError;

/** Name of a broker's error, such as `REBALANCE_IN_PROGRESS`, however kafkajs wrapped it; undefined for other failures. */
export declare function brokerError(thrown: unknown): string | undefined;
