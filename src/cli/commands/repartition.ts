import type { ExitName } from '../../compose/exit-codes.ts';
import { queueAddress } from '../../compose/open.ts';
import type { QueueAddress } from '../../configuration/addresses.ts';
import { PersistenceError } from '../../domain/errors.ts';
import type { Command, CommandContext } from '../command.ts';
import { printTopics } from '../print-topics.ts';

type AddressOf<Kind extends QueueAddress['kind']> = Extract<QueueAddress, { kind: Kind }>;

export const repartition: Command = {
  shape: {
    name: 'repartition',
    summary: 'Give a queue another number of partitions: a new topic on Kafka, or other shards on BullMQ',
    positionals: [{ name: 'NEW_TOPIC', optional: true }],
    options: [],
    settings: ['queue', 'kafka.partitions', 'kafka.replicationFactor', 'kafka.retention', 'bullmq.shards'],
    examples: [
      {
        line: 'repartition macp.commands.2 --queue kafka://localhost:9092/macp.commands --kafka-partitions 32',
        meaning: 'Stop the publishers first; afterwards everybody goes on with the new topic',
      },
      {
        line: 'repartition --queue bullmq://localhost:6379 --bullmq-shards 16',
        meaning: 'Publishers wait until the workers have stored what waits; then all of them are started again',
      },
    ],
  },
  async run(context) {
    const address = queueAddress(context.configuration.values);
    if (address.kind === 'kafka') return await fillTopic(address, context);
    if (address.kind === 'bullmq') return await changeShards(address, context);
    throw new PersistenceError(
      'INVALID_CONFIGURATION',
      'only queues on Kafka and BullMQ are repartitioned: name one with --queue',
    );
  },
};

async function fillTopic(address: AddressOf<'kafka'>, context: CommandContext): Promise<ExitName> {
  const { positionals, configuration, interruption, output } = context;
  const [to] = positionals;
  if (to === undefined) {
    throw new PersistenceError(
      'INVALID_CONFIGURATION',
      'name the topic on Kafka that takes the place of the present one',
    );
  }
  const { repartitionKafka } = await import('../../compose/kafka.ts');
  using progress = output.progress('records', undefined);
  const report = await repartitionKafka({
    address,
    to,
    values: configuration.values,
    onProgress: (records) => progress.update(records),
    signal: interruption,
  });
  progress.end();
  await printTopics(report, output);
  return 'done';
}

async function changeShards(address: AddressOf<'bullmq'>, context: CommandContext): Promise<ExitName> {
  const { positionals, configuration, interruption, output } = context;
  const shards = configuration.values['bullmq.shards'];
  if (shards === undefined || positionals.length > 0) {
    throw new PersistenceError(
      'INVALID_CONFIGURATION',
      'a queue on BullMQ keeps its name: say with --bullmq-shards alone how many shards it is to have',
    );
  }
  const { changeBullmqShards } = await import('../../compose/bullmq.ts');
  using progress = output.progress('commands', undefined);
  let most = 0;
  const onWaiting = (commands: number): void => {
    most = Math.max(most, commands);
    progress.update(most - commands);
  };
  const { values } = configuration;
  const { from, to } = await changeBullmqShards({ address, shards, values, onWaiting, signal: interruption });
  progress.end();
  if (output.asJson) await output.json({ from, to });
  else if (from === to) await output.line(`The queue has ${to} shards already.`);
  else await output.line(`The queue has ${to} shards, and had ${from}: start its publishers and workers again.`);
  return 'done';
}
