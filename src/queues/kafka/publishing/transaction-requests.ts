import { type BodyReader, readBody } from '../protocol/body-reader.ts';
import { BodyWriter } from '../protocol/body-writer.ts';
import type { ProtocolRequest } from '../protocol/protocol-request.ts';

/** Who publishes, to the brokers: the epoch rises with every start, and shuts lower ones out. */
export interface ProducerIdentity {
  readonly producerId: bigint;
  readonly epoch: number;
}

export interface FoundCoordinator {
  readonly errorCode: number;
  readonly node: number;
}

/** An identity, or why there is none. */
export interface GivenIdentity extends ProducerIdentity {
  readonly errorCode: number;
}

/** Who has a transactional id, and where the transaction stands that was begun last, or why that is not told. */
export interface DescribedTransaction extends GivenIdentity {
  /** Apache Kafka, `TransactionState`: `Empty`, `Ongoing`, `CompleteAbort`, ... */
  readonly state: string;
}

/** What the requests of a transaction say beside their own. */
interface TransactionPart {
  readonly transactionalId: string;
  readonly identity: ProducerIdentity;
}

const noIdentity: ProducerIdentity = { producerId: -1n, epoch: -1 };
const transactionCoordinator = 1;

/** FindCoordinator v2: which broker looks after the transactions of this id. */
export function findCoordinatorRequest(transactionalId: string): ProtocolRequest<FoundCoordinator> {
  return {
    apiKey: 10,
    apiName: 'FindCoordinator',
    apiVersion: 2,
    body: new BodyWriter().text(transactionalId).int8(transactionCoordinator).finish(),
    read: (payload) =>
      readBody('FindCoordinator', payload, (answer) => {
        answer.int32();
        const errorCode = answer.int16();
        answer.text();
        return { errorCode, node: answer.int32() };
      }),
  };
}

/**
 * InitProducerId v4: a new identity. For a transactional id it shuts out whoever had it before, and gives up what they
 * left open; with `after`, only if nobody else was given one since (KIP-360).
 */
export function initProducerRequest(
  transactionalId: string | undefined,
  transactionTimeout: number,
  after: ProducerIdentity = noIdentity,
): ProtocolRequest<GivenIdentity> {
  const body = new BodyWriter().noTags().compactText(transactionalId).int32(transactionTimeout);
  body.int64(after.producerId).int16(after.epoch).noTags();
  return {
    apiKey: 22,
    apiName: 'InitProducerId',
    apiVersion: 4,
    body: body.finish(),
    read: (payload) =>
      readBody('InitProducerId', payload, (answer) => {
        answer.skipTags();
        answer.int32();
        return { errorCode: answer.int16(), producerId: answer.int64(), epoch: answer.int16() };
      }),
  };
}

/** DescribeTransactions v0: changes nothing. Whoever may write under a transactional id may ask. */
export function describeTransactionRequest(transactionalId: string): ProtocolRequest<DescribedTransaction> {
  return {
    apiKey: 65,
    apiName: 'DescribeTransactions',
    apiVersion: 0,
    body: new BodyWriter().noTags().compactLength(1).compactText(transactionalId).noTags().finish(),
    read: (payload) =>
      readBody('DescribeTransactions', payload, (answer) => {
        answer.skipTags();
        answer.int32();
        const [described] = answer.compactList(() => readDescribed(answer));
        if (described === undefined) throw new RangeError('nothing is described');
        return described;
      }),
  };
}

/** AddPartitionsToTxn v2: the error of the first partition that could not be added, or 0. */
export function addPartitionsRequest(
  { transactionalId, identity }: TransactionPart,
  topic: string,
  partitions: readonly number[],
): ProtocolRequest<number> {
  const body = begun(transactionalId, identity).int32(1).text(topic).int32(partitions.length);
  for (const partition of partitions) body.int32(partition);
  return {
    apiKey: 24,
    apiName: 'AddPartitionsToTxn',
    apiVersion: 2,
    body: body.finish(),
    read: (payload) => readBody('AddPartitionsToTxn', payload, readAdded),
  };
}

/** EndTxn v2: 0, or why the transaction is not known to have ended so. */
export function endTransactionRequest(
  { transactionalId, identity }: TransactionPart,
  outcome: 'commit' | 'abort',
): ProtocolRequest<number> {
  return {
    apiKey: 26,
    apiName: 'EndTxn',
    apiVersion: 2,
    body: begun(transactionalId, identity)
      .int8(outcome === 'commit' ? 1 : 0)
      .finish(),
    read: (payload) =>
      readBody('EndTxn', payload, (answer) => {
        answer.int32();
        return answer.int16();
      }),
  };
}

function begun(transactionalId: string, { producerId, epoch }: ProducerIdentity): BodyWriter {
  return new BodyWriter().text(transactionalId).int64(producerId).int16(epoch);
}

function readDescribed(answer: BodyReader): DescribedTransaction {
  const errorCode = answer.int16();
  answer.compactText();
  const state = answer.compactText() ?? '';
  answer.int32();
  answer.int64();
  const described = { errorCode, state, producerId: answer.int64(), epoch: answer.int16() };
  answer.compactList(() => {
    answer.compactText();
    answer.compactList(() => answer.int32());
    answer.skipTags();
  });
  answer.skipTags();
  return described;
}

const operationNotAttempted = 55;

function readAdded(answer: BodyReader): number {
  answer.int32();
  const codes = answer
    .list(() => {
      answer.text();
      return answer.list(() => {
        answer.int32();
        return answer.int16();
      });
    })
    .flat()
    .filter((code) => code !== 0);
  // One partition's error keeps the others from being tried: theirs says nothing.
  return codes.find((code) => code !== operationNotAttempted) ?? codes[0] ?? 0;
}
