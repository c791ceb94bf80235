import { rmSync } from 'node:fs';
import { deleteTopicsNamed, kafkaAddress, uniqueName } from './kafka.ts';
import { type Ending, freshDirectory, type ProgramOptions, runProgram } from './program.ts';
import { deleteKeys, redisAddress, uniquePrefix } from './redis.ts';
import { RunningProgram } from './running-program.ts';

export interface TopicOptions {
  /** Brokers, with commas between. Default: the Kafka that the suite shares. */
  readonly kafka?: string;
  /** Default: one of its own. */
  readonly topic?: string;
  /** Variables of the environment that every process gets. */
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * `macp-persist` over a topic of a test's own, which `init` has to make, and a directory of its own. Unless a store is
 * named, it is the level store in there; what is started is killed in the end, topics and keys are deleted.
 */
export class TopicProgram implements AsyncDisposable {
  readonly topic: string;
  readonly kafka: string;
  /** A store in the Redis that the suite shares. */
  readonly redis: string;
  readonly directory = freshDirectory();
  readonly environment: Readonly<Record<string, string>>;
  readonly #prefix = uniquePrefix();
  readonly #started: RunningProgram[] = [];

  constructor({ kafka = kafkaAddress(), topic = uniqueName(), environment = {} }: TopicOptions = {}) {
    this.kafka = kafka;
    this.topic = topic;
    const redis = new URL(redisAddress());
    redis.searchParams.set('prefix', this.#prefix);
    this.redis = redis.href;
    this.environment = {
      MACP_PERSIST_QUEUE: `kafka://${kafka}/${topic}`,
      MACP_PERSIST_KAFKA_GROUP: topic,
      MACP_PERSIST_HTTP_PORT: '0',
      ...environment,
    };
  }

  /** One that `init` has made the topics for. */
  static async init(partitions: number, options: TopicOptions = {}): Promise<TopicProgram> {
    const program = new TopicProgram(options);
    const { code, stderr } = await program.run(['init', '--kafka-partitions', `${partitions}`]);
    if (code === 0) return program;
    await program[Symbol.asyncDispose]();
    throw new Error(`init failed: ${stderr}`);
  }

  run(words: readonly string[], options: ProgramOptions = {}): Promise<Ending> {
    return runProgram(words, this.#given(options));
  }

  start(words: readonly string[], options: ProgramOptions = {}): RunningProgram {
    const program = new RunningProgram(words, this.#given(options));
    this.#started.push(program);
    return program;
  }

  /** Runs it, and reads the lines that it prints as JSON. Throws where it fails. */
  async json<Line>(words: readonly string[], options: ProgramOptions = {}): Promise<readonly Line[]> {
    const { code, stdout, stderr } = await this.run([...words, '--json'], options);
    if (code !== 0) throw new Error(`${words.join(' ')} ended with ${code}: ${stderr}`);
    return stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#started.map((program) => program.stop('SIGKILL')));
    await Promise.all([deleteTopicsNamed(this.kafka, this.topic), deleteKeys(redisAddress(), this.#prefix)]);
    rmSync(this.directory, { recursive: true });
  }

  #given({ environment, ...options }: ProgramOptions): ProgramOptions {
    return { directory: this.directory, ...options, environment: { ...this.environment, ...environment } };
  }
}
