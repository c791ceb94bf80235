import type { SessionId } from '../../../src/domain/identifiers.ts';
import { claim, entryText } from '../../support/commands.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { type GatewayClient, GatewaySystem, type Told } from '../../support/gateway-system.ts';
import { createHeldStore } from '../../support/held-store.ts';
import { turns } from '../../support/turns.ts';
import { WorkingSystem } from '../../support/working-system.ts';
import { UnsteadyQueue } from './unsteady-queue.ts';

/** An entry that was sent, by the how-manieth runtime, and what it was told: undefined as long as it was told nothing. */
export interface Appended {
  readonly session: string;
  readonly mark: string;
  readonly runtime: number;
  told: Told | undefined;
}

/** A log as a runtime read it. */
export interface Seen {
  readonly session: string;
  readonly runtime: number;
  /** Marks of what had been acknowledged before it was asked for. */
  readonly known: readonly string[];
  readonly marks: readonly string[];
}

/** A gateway in trouble, and runtimes that write through it, one after the other: what was sent, told and seen. */
export class World implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly appended: Appended[] = [];
  readonly seen: Seen[] = [];
  readonly held = createHeldStore();
  readonly system = new WorkingSystem({ store: this.held.store });
  readonly unsteady: UnsteadyQueue;
  readonly #gateways: GatewaySystem[] = [];
  readonly #requests: Promise<unknown>[] = [];
  #gateway: GatewaySystem;
  #client: GatewayClient;
  #runtime = 0;

  constructor(isFencing: boolean) {
    this.unsteady = new UnsteadyQueue(this.system.queue, isFencing);
    this.system.work();
    this.#gateway = this.#newGateway();
    this.#client = this.#gateway.client();
  }

  append(session: string): void {
    const mark = `m${this.appended.length + 1}.`;
    const appended: Appended = { session, mark, runtime: this.#runtime, told: undefined };
    this.appended.push(appended);
    const request = this.#client.send('RPUSH', `macp:log:${session}`, entryText(mark));
    this.#requests.push(
      request.then((told) => {
        appended.told = told;
      }),
    );
  }

  read(session: string): void {
    const runtime = this.#runtime;
    const known = this.acknowledged(session);
    const request = this.#client.send('LRANGE', `macp:log:${session}`, '0', '-1');
    this.#requests.push(
      request.then((told) => {
        if (typeof told === 'string') return;
        const marks = told.map((entry) => JSON.parse(String(entry)).message_id);
        this.seen.push({ session, runtime, known, marks });
      }),
    );
  }

  /** A runtime starts: it lists the sessions, and reads their logs. The one before it is not told. */
  startRuntime(sessions: readonly string[]): void {
    if (this.#gateway.gateway.state === 'ended') this.#gateway = this.#newGateway();
    this.#runtime += 1;
    this.#client = this.#gateway.client();
    this.#requests.push(this.#client.send('SMEMBERS', 'macp:sessions'));
    for (const session of sessions) this.read(session);
  }

  /** Somebody else claims the session, as a person may through the API. */
  async rivalClaim(session: string): Promise<void> {
    const [cursor] = await this.system.watch.cursors([session as SessionId]);
    await this.system.queue.publish([claim((cursor?.epoch ?? 0) + 1, '//test/rival', session)]);
  }

  /** Another gateway takes over, while the one before it knows nothing of that. */
  takeOver(sessions: readonly string[]): void {
    this.#gateway = this.#newGateway();
    this.startRuntime(sessions);
  }

  /** Marks of what was acknowledged in the session. */
  acknowledged(session: string): readonly string[] {
    return this.appended
      .filter((one) => one.session === session && String(one.told).startsWith('(integer)'))
      .map(({ mark }) => mark);
  }

  /** All troubles end, and everything that was asked for is answered and applied. */
  async settle(): Promise<void> {
    this.unsteady.mishaps.length = 0;
    let isDone = false;
    const done = Promise.all(this.#requests).then(() => {
      isDone = true;
    });
    for (let round = 0; round < 200 && !(isDone && this.#areSettled()); round += 1) {
      this.unsteady.release();
      this.held.release();
      await turns(10);
      await this.clock.advance(500);
    }
    if (!isDone) throw new Error('some requests were never answered');
    await done;
    await this.system.caughtUp();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const gateway of this.#gateways) await gateway[Symbol.asyncDispose]();
    await this.system[Symbol.asyncDispose]();
  }

  #areSettled(): boolean {
    return this.#gateways.every(({ gateway }) => gateway.state === 'open' || gateway.state === 'ended');
  }

  #newGateway(): GatewaySystem {
    const { system, clock } = this;
    const gateway = new GatewaySystem({ system, clock, queue: this.unsteady.queue, rememberedSessions: 1 }).run();
    this.#gateways.push(gateway);
    return gateway;
  }
}
