import { join } from 'node:path';
import { freePorts } from '../../../scripts/services/ports.mjs';
import { QueueProgram } from '../../support/queue-program.ts';
import type { RunningProgram } from '../../support/running-program.ts';
import { TopicProgram } from '../../support/topic-program.ts';
import { openOurs } from '../layouts.ts';
import { dumpOurs } from '../our-dump.ts';
import type { UpstreamPlace } from '../storage-program.ts';

/** Processes of `macp-persist` with a gateway among them, as somebody runs them; each can be killed and started again. */
export class Deployment implements AsyncDisposable {
  /** Where a runtime finds its store. */
  readonly gateway: UpstreamPlace;
  /** The store that workers fill, as `--store` takes it. */
  readonly store: string;
  readonly #program: QueueProgram;
  readonly #directory: string;
  /** The words that each process is started with. */
  readonly #roles = new Map<string, readonly string[]>();
  readonly #running = new Map<string, RunningProgram>();

  private constructor(program: QueueProgram, directory: string, store: string, port: number) {
    this.#program = program;
    this.#directory = directory;
    this.store = store;
    this.gateway = placeOf(port);
  }

  /** Gateway, worker and queue in one process. The queue lies in `queue` of the directory, the store in `store`. */
  static async inOneProcess(
    kind: string,
    environment: Readonly<Record<string, string>> = {},
    directory?: string,
  ): Promise<Deployment> {
    const program = new QueueProgram(environment);
    return await Deployment.#together(program, kind, directory ?? program.directory);
  }

  /** The same on Kafka: gateway and worker in one process. */
  static async onKafka(kafka: string, kind = 'level'): Promise<Deployment> {
    const program = await TopicProgram.init(4, { kafka });
    return await Deployment.#together(program, kind, program.directory);
  }

  /** Two workers and a gateway on Kafka, which share a store in Redis. */
  static async apart(kafka: string, redis?: string): Promise<Deployment> {
    const [port = 0] = await freePorts(1);
    const program = await TopicProgram.init(4, { kafka });
    const deployment = new Deployment(program, program.directory, redis ?? program.redis, port);
    deployment.#add('worker one', ['worker']);
    deployment.#add('worker two', ['worker']);
    deployment.#add('gateway', ['gateway', '--gateway-port', `${port}`]);
    return deployment;
  }

  static async #together(program: QueueProgram, kind: string, directory: string): Promise<Deployment> {
    const [port = 0] = await freePorts(1);
    const deployment = new Deployment(program, directory, `${kind}:${join(directory, 'store')}`, port);
    deployment.#add('gateway', ['start', '--gateway-port', `${port}`]);
    return deployment;
  }

  /** Has another gateway stand by, over the same queue and the same store, and says where it will be. */
  async startStandby(): Promise<UpstreamPlace> {
    const [port = 0] = await freePorts(1);
    this.#add('standby', ['gateway', '--standby', '--gateway-port', `${port}`]);
    await this.running('standby').untilLogged('standing by');
    return placeOf(port);
  }

  get roles(): readonly string[] {
    return [...this.#roles.keys()];
  }

  running(role: string): RunningProgram {
    const process = this.#running.get(role);
    if (process === undefined) throw new RangeError(`there is no ${role}`);
    return process;
  }

  /** SIGKILL, and another one at once. */
  async replace(role: string): Promise<void> {
    await this.running(role).stop('SIGKILL');
    this.#start(role);
  }

  /** Stops all processes, has the queue worked off to its end, and dumps the store (`dumpOurs`). */
  async dump(): Promise<readonly string[]> {
    await Promise.all([...this.#running.values()].map((process) => process.stop()));
    const place = ['--data-dir', this.#directory, '--store', this.store];
    const { code, stderr } = await this.#program.run(['worker', '--exit-when-caught-up', ...place]);
    if (code !== 0) throw new Error(`the worker ended with ${code}: ${stderr}`);
    await using store = await openOurs({ url: this.store });
    return await dumpOurs(store);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
  }

  #add(role: string, words: readonly string[]): void {
    this.#roles.set(role, [...words, '--data-dir', this.#directory, '--store', this.store]);
    this.#start(role);
  }

  #start(role: string): void {
    this.#running.set(role, this.#program.start(this.#roles.get(role) ?? []));
  }
}

/** As a runtime is told it: the prefix of its keys cannot be chosen. */
function placeOf(port: number): UpstreamPlace {
  return { layout: 'redis', place: `redis://127.0.0.1:${port} macp` };
}
