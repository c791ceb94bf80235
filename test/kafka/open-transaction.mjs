// Publishes in a transaction that never ends: node open-transaction.mjs BUILD BROKERS TOPIC, where BUILD is the URL of
// the built `src`, and the topic's name the transactional id as well. Says "open" once the record lies in partition 0.
const [build, brokers = '', topic = ''] = process.argv.slice(2);
const { systemClock } = await import(`${build}/platform/system-clock.js`);
const { batchRecords } = await import(`${build}/queues/kafka/publishing/batches.js`);
const { ClusterLink } = await import(`${build}/queues/kafka/publishing/broker-link.js`);
const { encodeRecordBody } = await import(`${build}/queues/kafka/publishing/record-body.js`);
const { TransactionalProducer } = await import(`${build}/queues/kafka/publishing/transactional-producer.js`);
const { TopicAdministration } = await import(`${build}/queues/kafka/topics/topic-administration.js`);

const connection = {
  brokers: brokers.split(','),
  clientId: 'to be killed',
  connectionTimeout: 5_000,
  requestTimeout: 10_000,
};
const administration = await TopicAdministration.open({ connection, clock: systemClock, onLog: () => undefined });
const facts = await administration.describe(topic);
if (facts === undefined) throw new Error(`no topic ${topic}`);

const link = new ClusterLink({
  brokers: administration.brokersOf(facts),
  topic: facts,
  transactionalId: topic,
  transactionTimeout: 600_000,
  produceTimeout: 10_000,
});
link.endTransaction = () => {
  console.log('open');
  return new Promise(() => setInterval(() => undefined, 1_000));
};
const closing = new AbortController().signal;
const producer = new TransactionalProducer({ link, clock: systemClock, patience: 30_000, closing });
const body = encodeRecordBody({ key: undefined, headers: [], value: Buffer.from('of the killed one') });
const placed = [{ partition: 0, record: { timestamp: Date.now(), body } }];
const { rounds } = await batchRecords(placed, { batchBytes: 1024, codec: undefined });
await producer.write(rounds);
