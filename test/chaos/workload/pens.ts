import { randomUUID } from 'node:crypto';
import { openStore, storeAddress } from '../../../src/compose/open.ts';
import type { Values } from '../../../src/configuration/settings.ts';
import { initialCursor } from '../../../src/domain/cursor.ts';
import type { Epoch, Sequence, SessionId, Writer } from '../../../src/domain/identifiers.ts';
import { systemClock } from '../../../src/platform/system-clock.ts';
import { Lane } from '../../../src/publisher/lane.ts';
import { Outbox } from '../../../src/publisher/outbox.ts';
import { Publisher } from '../../../src/publisher/publisher.ts';
import type { Sink } from '../../../src/publisher/sink.ts';
import { StoreWatch } from '../../../src/read-side/store-watch.ts';
import type { Acknowledged } from '../checker/model.ts';
import { readLedger } from './ledger.ts';
import { mostUnacknowledged, type Orders } from './orders.ts';
import type { StoryCommand } from './story.ts';

/** Writes the commands of one session, one after another. */
export interface Pen {
  /** The last command that need not be sent any more. */
  readonly last: number;
  /** Sends the next command; resolves once it is acknowledged. */
  send(command: StoryCommand): Promise<Omit<Acknowledged, 'digest'>>;
}

export interface Pens {
  open(session: string): Promise<Pen>;
  whenWritable(): Promise<void>;
  close(): Promise<void>;
}

const limits = { commands: mostUnacknowledged, bytes: 16 * 1024 * 1024 };

/** Pens that claim their session, which takes a store that can be looked at from here. */
export async function claimingPens(sink: Sink, values: Values): Promise<Pens> {
  const store = await openStore(storeAddress(values), values);
  const watch = new StoreWatch({ store, clock: systemClock, polls: true });
  const newWriter = (): Writer => `//chaos/${randomUUID()}` as Writer;
  const publisher = new Publisher({ sink, watch, clock: systemClock, newWriter, limits });
  return {
    async open(session) {
      const writer = await publisher.open(session as SessionId);
      return {
        last: writer.last,
        async send({ type, data }) {
          const { epoch, sequence, position } = await writer.send(type, Buffer.from(data));
          return { session, writer: writer.writer, epoch, sequence, ...position };
        },
      };
    },
    whenWritable: () => publisher.whenWritable(),
    async close() {
      await publisher.close();
      await watch.close();
      await store.close();
    },
  };
}

/** Pens that go on under the same name and epoch behind the last command that is known to be acknowledged. */
export function repeatingPens(sink: Sink, { publisher, earlier }: Orders): Pens {
  const known = new Map<string, number>();
  for (const { session, sequence } of earlier.flatMap(readLedger)) {
    known.set(session, Math.max(known.get(session) ?? 0, sequence));
  }
  const outbox = new Outbox({ sink, clock: systemClock, limits });
  const writer = `//chaos/publisher-${publisher}` as Writer;
  const epoch = 1 as Epoch;
  return {
    async open(session) {
      const last = known.get(session) ?? 0;
      const lane = new Lane(session as SessionId, writer);
      lane.begin({ ...initialCursor, epoch, last: last as Sequence });
      return {
        last,
        async send({ sequence, type, data }) {
          const draft = { session: session as SessionId, type, data: Buffer.from(data) };
          const { position } = await outbox.put(lane, draft);
          return { session, writer, epoch, sequence, ...position };
        },
      };
    },
    whenWritable: () => outbox.whenWritable(),
    close: () => outbox.close(),
  };
}
