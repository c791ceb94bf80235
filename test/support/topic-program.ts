import { deleteTopicsNamed, kafkaAddress, uniqueName } from './kafka.ts';
import { QueueProgram } from './queue-program.ts';
import { deleteKeys, redisAddress, uniquePrefix } from './redis.ts';

export interface TopicOptions {
  /** Brokers, with commas between. Default: the Kafka that the suite shares. */
  readonly kafka?: string;
  /** Default: one of its own. */
  readonly topic?: string;
  /** Variables of the environment that every process gets. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** `macp-persist` over a topic of a test's own, which `init` has to make; topics and keys are deleted in the end. */
export class TopicProgram extends QueueProgram {
  readonly topic: string;
  readonly kafka: string;
  /** A store in the Redis that the suite shares. */
  readonly redis: string;
  readonly #prefix: string;

  constructor({ kafka = kafkaAddress(), topic = uniqueName(), environment = {} }: TopicOptions = {}) {
    super({
      MACP_PERSIST_QUEUE: `kafka://${kafka}/${topic}`,
      MACP_PERSIST_KAFKA_GROUP: topic,
      ...environment,
    });
    this.kafka = kafka;
    this.topic = topic;
    this.#prefix = uniquePrefix();
    const redis = new URL(redisAddress());
    redis.searchParams.set('prefix', this.#prefix);
    this.redis = redis.href;
  }

  /** One that `init` has made the topics for. */
  static async init(partitions: number, options: TopicOptions = {}): Promise<TopicProgram> {
    const program = new TopicProgram(options);
    const { code, stderr } = await program.run(['init', '--kafka-partitions', `${partitions}`]);
    if (code === 0) return program;
    await program[Symbol.asyncDispose]();
    throw new Error(`init failed: ${stderr}`);
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    await Promise.all([deleteTopicsNamed(this.kafka, this.topic), deleteKeys(redisAddress(), this.#prefix)]);
  }
}
