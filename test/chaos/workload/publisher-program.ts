import { createInterface } from 'node:readline';
import { openQueue, queueAddress } from '../../../src/compose/open.ts';
import { loadConfiguration } from '../../../src/compose/settings.ts';
import { isPersistenceError } from '../../../src/domain/errors.ts';
import { systemClock } from '../../../src/platform/system-clock.ts';
import type { Queue } from '../../../src/ports/queue.ts';
import { patiently } from '../../../src/publisher/patiently.ts';
import type { Sink } from '../../../src/publisher/sink.ts';
import { Random } from '../../power-cut/random.ts';
import { LedgerWriter } from './ledger.ts';
import { type Allowance, mostUnacknowledged, type Orders, type Told } from './orders.ts';
import { claimingPens, type Pen, repeatingPens } from './pens.ts';
import { commandOf, sessionOf } from './story.ts';

// Publishes its share of a story, as far as it is allowed to. It may be killed at any time.

const orders: Orders = JSON.parse(process.env['CHAOS_ORDERS'] ?? '');
const { story, publisher, publishers } = orders;

function tell(told: Told): void {
  process.stdout.write(`${JSON.stringify(told)}\n`);
}

/** Where it publishes to: the queue, or a publisher under its name. */
async function openSink(queue: Queue, signal: AbortSignal): Promise<Sink> {
  if (!orders.fences) return queue;
  const sink = await patiently(
    async () => queue.fencedPublisher?.(`publisher-${publisher}`, signal),
    systemClock,
    signal,
  );
  if (sink === undefined) throw new TypeError('this queue fences nobody');
  return sink;
}

/** It, but that it tells whenever it refuses something. */
function tellingSink(sink: Sink): Sink {
  return {
    async publish(commands, signal) {
      try {
        return await sink.publish(commands, signal);
      } catch (error) {
        if (isPersistenceError(error) && error.retryable) tell({ told: 'refused', code: error.code });
        throw error;
      }
    },
    whenWritable: (signal) => sink.whenWritable(signal),
  };
}

/** How much may be sent, as standard input says. */
class Limit {
  #allowed = 0;
  #raised: () => void = () => undefined;

  constructor(input: NodeJS.ReadableStream) {
    createInterface({ input }).on('line', (line) => {
      const { allow }: Allowance = JSON.parse(line);
      this.#allowed = allow;
      this.#raised();
    });
  }

  async allows(sent: number): Promise<void> {
    while (sent >= this.#allowed) {
      await new Promise<void>((resolve) => {
        this.#raised = resolve;
      });
    }
  }
}

async function main(): Promise<void> {
  const { values } = await loadConfiguration({
    flags: new Map(),
    configFile: undefined,
    environment: process.env,
    workingDirectory: process.cwd(),
    mistakes: [],
  });
  const signal = new AbortController().signal;
  await using queue = await patiently(() => openQueue(queueAddress(values), values), systemClock, signal);
  const sink = tellingSink(await openSink(queue, signal));
  const pens = orders.manner === 'claims' ? await claimingPens(sink, values) : repeatingPens(sink, orders);
  const indices = Array.from({ length: story.sessions }, (_, index) => index).filter(
    (index) => index % publishers === publisher,
  );
  const open = await Promise.all(
    indices.map(async (index) => ({ index, pen: await pens.open(sessionOf(story, index)) })),
  );
  await publish(open, pens.whenWritable);
  await pens.close();
}

interface Open {
  readonly index: number;
  readonly pen: Pen;
}

async function publish(open: readonly Open[], whenWritable: () => Promise<void>): Promise<void> {
  const limit = new Limit(process.stdin);
  let acknowledged = open.reduce((sum, { pen }) => sum + pen.last, 0);
  let isWaiting = false;
  const ledger = new LedgerWriter(orders.ledger, (count) => {
    acknowledged += count;
    tell({ told: 'acknowledged', count: acknowledged });
    // That was acknowledged before it began to wait.
    if (isWaiting) tell({ told: 'waits' });
    if (acknowledged === open.length * story.commands) done();
  });
  let done: () => void = () => undefined;
  const whenDone = new Promise<void>((resolve) => {
    done = resolve;
  });
  tell({ told: 'ready', count: acknowledged });
  const random = new Random(story.seed * 31 + publisher + orders.life * 7);
  const left = open
    .map(({ index, pen }) => ({ index, pen, sent: pen.last }))
    .filter(({ sent }) => sent < story.commands);
  if (left.length === 0) done();
  for (let sent = acknowledged; left.length > 0; sent += 1) {
    await limit.allows(sent);
    isWaiting = sent - acknowledged >= mostUnacknowledged;
    if (isWaiting) tell({ told: 'waits' });
    await whenWritable();
    isWaiting = false;
    const at = random.below(left.length);
    const session = left[at];
    if (session === undefined) throw new TypeError('nothing is left');
    session.sent += 1;
    if (session.sent === story.commands) left.splice(at, 1);
    const command = commandOf(story, session.index, session.sent);
    session.pen.send(command).then((where) => ledger.note({ ...where, data: command.data }), fail);
  }
  await whenDone;
  tell({ told: 'done', count: acknowledged });
}

/** Nothing more is sent. */
function fail(error: unknown): never {
  const code = isPersistenceError(error) ? error.code : 'UNEXPECTED';
  process.stderr.write(`${code}: ${error instanceof Error ? error.stack : error}\n`);
  process.exit(code === 'WRITER_FENCED' ? 9 : 1);
}

main().then(
  // Not before all that was told is on its way: what a busy reader left in the pipe would be lost.
  () => process.stdout.write('', () => process.exit(0)),
  (error: unknown) => fail(error),
);
