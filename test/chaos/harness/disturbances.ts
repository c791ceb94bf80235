import { type Chaos, leastInFlight } from './chaos.ts';
import type { Publisher } from './publishers.ts';
import type { Worker } from './workers.ts';

/** Something bad that happens in the midst of work. Resolves once everything works again. */
export interface Disturbance {
  readonly name: string;
  happen(chaos: Chaos): Promise<void>;
}

/** Kills some of the workers, chosen by chance of those that have the store open, and starts others for them. */
function killWorkers(name: string, count: number): Disturbance {
  return {
    name,
    async happen(chaos) {
      const { workers } = chaos.parts;
      await chaos.midway();
      const victims = someOf(chaos, heldWorking(chaos), count);
      for (const victim of victims) await chaos.killWorker(victim);
      workers.release();
      for (const _ of victims) workers.start();
      await chaos.recovered();
    },
  };
}

const killStandby: Disturbance = {
  name: 'a standby is killed',
  async happen(chaos) {
    const { workers } = chaos.parts;
    await chaos.midway();
    const standbys = workers.all.filter(({ process, log }) => process.state === 'stopped' && !log.isOpened);
    await chaos.killWorker(chaos.pick(standbys));
    workers.release();
    workers.start();
    await chaos.recovered();
  },
};

/** A worker is killed, and while the others take over, another one. */
const killTwoInTurn: Disturbance = {
  name: 'a worker is killed while others take over from one that was killed',
  async happen(chaos) {
    const { workers, publishers, burst } = chaos.parts;
    await chaos.midway();
    await chaos.killWorker(chaos.pick(heldWorking(chaos)));
    workers.release();
    const before = chaos.parts.queue.group().rebalances;
    workers.start();
    publishers.allow(burst);
    await chaos.until('a rebalance', () => chaos.parts.queue.group().rebalances > before);
    await chaos.getAhead();
    await chaos.killWorker(chaos.pick(heldWorking(chaos)));
    workers.release();
    workers.start();
    await chaos.recovered();
  },
};

/** A worker is stopped until the group has given it up and others have done its work; then it goes on. */
const hangWorker: Disturbance = {
  name: 'a worker hangs past its session timeout, and goes on',
  async happen(chaos) {
    const { workers, store, counts } = chaos.parts;
    await chaos.midway();
    const victim = chaos.pick(heldWorking(chaos));
    workers.leaveStopped(victim);
    workers.release();
    await chaos.untilGivenUp();
    // What only one process can have open stays with it, however long it is silent.
    if (!store.isExclusive) {
      await chaos.recovered();
      await chaos.getAhead();
      workers.release();
    }
    victim.process.go();
    counts.hangs += 1;
    await chaos.recovered();
  },
};

const done = 0;
/** One that stood by has done nothing. */
const interrupted = 130;

const restartInTurn: Disturbance = {
  name: 'every worker is replaced in turn',
  async happen(chaos) {
    const { workers, counts } = chaos.parts;
    for (const worker of workers.running) {
      await chaos.midway();
      workers.release();
      workers.end(worker);
      await chaos.until(`${worker.process.name} to end`, () => worker.process.state === 'ended');
      if (worker.process.code !== done && worker.process.code !== interrupted) {
        throw new Error(`${worker.process.name} ended with ${worker.process.code}:\n${worker.process.latest}`);
      }
      workers.start();
      counts.restarts += 1;
      await chaos.ready();
    }
    await chaos.recovered();
  },
};

const addWorker: Disturbance = {
  name: 'a worker is added, and taken away again',
  async happen(chaos) {
    const { workers } = chaos.parts;
    await chaos.midway();
    workers.release();
    const another = workers.start();
    await chaos.ready();
    await chaos.midway();
    workers.release();
    workers.end(another);
    await chaos.until(`${another.process.name} to end`, () => another.process.state === 'ended');
    await chaos.recovered();
  },
};

/** The broker, and with it perhaps a worker, is killed and started again. */
function killBroker(name: string, killsWorker: boolean): Disturbance {
  return {
    name,
    async happen(chaos) {
      const { workers, queue, publishers, burst } = chaos.parts;
      await chaos.midway();
      publishers.allow(burst / 2);
      await chaos.untilAcknowledged(chaos.random.below(burst / 4));
      await queue.kill();
      await chaos.noteKill('brokers');
      if (killsWorker) await chaos.killWorker(chaos.pick(heldWorking(chaos)));
      workers.release();
      await queue.restart();
      if (killsWorker) workers.start();
      await chaos.recovered();
    },
  };
}

/** The broker is away for so many milliseconds at least, and until every publisher waits for it. */
export function brokerAway(milliseconds: number): Disturbance {
  return {
    name: 'the broker is away until publishers push back',
    async happen(chaos) {
      const { workers, queue } = chaos.parts;
      await chaos.midway();
      await queue.kill();
      await chaos.noteKill('brokers');
      workers.release();
      const back = performance.now() + milliseconds;
      await chaos.untilPublishersWait();
      await chaos.until('the time that the broker is away', () => performance.now() > back);
      await queue.restart();
      await chaos.recovered();
    },
  };
}

/**
 * Publishers are killed while they publish, and others go on for them. The broker hangs meanwhile: what they have sent
 * is going to be written, and they never hear of it.
 */
function killPublishers(name: string, choose: (chaos: Chaos) => readonly Publisher[]): Disturbance {
  return {
    name,
    async happen(chaos) {
      const { workers, publishers, queue, burst } = chaos.parts;
      await chaos.ready();
      workers.hold();
      publishers.allow(burst);
      await chaos.untilAcknowledged(leastInFlight + chaos.random.below(burst / 4));
      queue.pause();
      await chaos.untilPublishersWait();
      const victims = choose(chaos);
      await Promise.all(victims.map(({ process }) => process?.kill()));
      for (const _ of victims) await chaos.noteKill('publishers');
      queue.resume();
      workers.release();
      await Promise.all(victims.map((victim) => chaos.restart(victim)));
      await chaos.recovered();
    },
  };
}

const killRepeating = killPublishers('a publisher that repeats is killed', (chaos) => [
  chaos.pick(chaos.parts.publishers.repeating),
]);
const killClaiming = killPublishers('a publisher that claims is killed', (chaos) => [
  chaos.pick(chaos.parts.publishers.claiming),
]);
const killAllPublishers = killPublishers('all publishers are killed', (chaos) => chaos.parts.publishers.all);

/** Publishers hang while others go on for them, claiming their sessions; then they go on as well, and are shut out. */
const hangPublishers: Disturbance = {
  name: 'publishers hang, and go on after their successors have begun',
  async happen(chaos) {
    const { publishers, burst, counts } = chaos.parts;
    await chaos.ready();
    publishers.allow(burst);
    await chaos.untilAcknowledged(burst / 4);
    const hung = publishers.claiming.flatMap(({ process }) => process ?? []);
    for (const process of hung) process.stop();
    await Promise.all(publishers.claiming.map((publisher) => chaos.restart(publisher)));
    publishers.allow(burst);
    for (const process of hung) {
      publishers.tell(process);
      process.go();
      counts.hangs += 1;
    }
    await chaos.until('hung publishers to be shut out', () => hung.every(({ state }) => state === 'ended'));
    const wrong = hung.find(({ code }) => code !== shutOut);
    if (wrong !== undefined) throw new Error(`${wrong.name} ended with ${wrong.code}:\n${wrong.latest}`);
    await chaos.recovered();
  },
};

const shutOut = 9;

/** The store's server is killed, and started again once workers have noticed. */
const killStore: Disturbance = {
  name: 'the store is killed',
  async happen(chaos) {
    const { workers, store, counts } = chaos.parts;
    const inFlight = await chaos.midway();
    await store.server?.kill();
    await chaos.noteKill('stores', inFlight);
    const before = counts.retries;
    workers.release();
    await chaos.until('a worker to notice', () => counts.retries > before);
    await store.server?.restart();
    await chaos.recovered();
  },
};

/** What may happen to workers that share a store. */
export const sharedDisturbances: readonly Disturbance[] = [
  killWorkers('a worker is killed', 1),
  killWorkers('two workers are killed at once', 2),
  killWorkers('all workers are killed', 3),
  killTwoInTurn,
  hangWorker,
  restartInTurn,
  addWorker,
  killBroker('the broker is killed', false),
  killBroker('the broker and a worker are killed', true),
  killRepeating,
  killClaiming,
  killAllPublishers,
  hangPublishers,
  killStore,
];

/** What may happen to a worker with a store of its own, and to those that stand by. */
export const exclusiveDisturbances: readonly Disturbance[] = [
  killWorkers('the worker is killed', 1),
  killWorkers('the worker is killed again', 1),
  killStandby,
  hangWorker,
  restartInTurn,
  killBroker('the broker is killed', false),
  killBroker('the broker and the worker are killed', true),
  killRepeating,
  killAllPublishers,
];

/** The workers that have the store open, all of them held. */
function heldWorking({ parts: { workers } }: Chaos): readonly Worker[] {
  return workers.all.filter(({ process, log }) => process.state === 'stopped' && log.isOpened);
}

function someOf(chaos: Chaos, workers: readonly Worker[], count: number): readonly Worker[] {
  const left = [...workers];
  return Array.from({ length: Math.min(count, left.length) }, () => {
    const chosen = chaos.pick(left);
    left.splice(left.indexOf(chosen), 1);
    return chosen;
  });
}
