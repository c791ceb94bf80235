import { createRequire } from 'node:module';
import { decodeBinary, encodeBinary } from '../../src/domain/wire/binary.ts';
import { crc32c } from '../../src/queues/kafka/protocol/crc32c.ts';
import { RecordReader } from '../../src/queues/kafka/protocol/record-reader.ts';
import { RepeatedHeaders } from '../../src/queues/kafka/protocol/repeated-headers.ts';
import { encodeBatch, stampBatch } from '../../src/queues/kafka/publishing/record-batch.ts';
import { encodeRecordBody } from '../../src/queues/kafka/publishing/record-body.ts';
import { type Contestant, contest, report } from '../support/contest.ts';
import { interleavedAppends, sessionIds } from '../support/entries.ts';

/*
 * Reading record batches out of memory: our reader, with and without deciding what the messages say, beside kafkajs's
 * decoder, which checks no checksum. Run by hand: `npx tsc -p tsconfig.bench.json`, then `node --expose-gc` on this.
 */
const records = 10_000;
const recordsOfBatch = 100;
const readings = 20;

/** Batches as a fetch answers with them: commands of 841 bytes of data with 8 headers. */
async function fetched(): Promise<Buffer> {
  const bodies = [...interleavedAppends(sessionIds(1_000), records)].map((command) =>
    encodeRecordBody(encodeBinary(command)),
  );
  const batches: Buffer[] = [];
  for (let from = 0; from < records; from += recordsOfBatch) {
    const some = bodies.slice(from, from + recordsOfBatch).map((body) => ({ timestamp: 1_700_000_000_000, body }));
    const batch = await encodeBatch(some, undefined);
    stampBatch(batch, { producerId: -1n, epoch: -1, sequence: -1, isTransactional: false }, crc32c);
    batch.writeBigInt64BE(BigInt(from), 0);
    batches.push(batch);
  }
  return Buffer.concat(batches);
}

function ours(bytes: Buffer, decides: boolean): Contestant {
  const repeated = new RepeatedHeaders();
  return {
    name: decides ? 'our reader, and what the messages say' : 'our reader',
    async run() {
      let count = 0;
      for (let reading = 0; reading < readings; reading += 1) {
        const reader = new RecordReader(bytes, [], 0, repeated);
        for (let read = reader.next(); read !== undefined; read = reader.next()) {
          if (read.kind !== 'record') throw new Error(`read as ${read.kind}`);
          // Taken apart whole, as kafkajs does it in any case.
          const message = { key: read.key, headers: read.headers, value: read.value };
          if (decides && decodeBinary(message).kind !== 'numbered') throw new Error('a command that is none');
          count += message.value.length > 0 ? 1 : 0;
        }
      }
      return count;
    },
  };
}

interface KafkajsDecoder {
  canReadBytes(length: number): boolean;
}

function theirs(bytes: Buffer): Contestant {
  const require = createRequire(import.meta.url);
  const Decoder: new (bytes: Buffer) => KafkajsDecoder = require('kafkajs/src/protocol/decoder');
  const decode: (
    decoder: KafkajsDecoder,
  ) => Promise<{ readonly records: readonly unknown[] }> = require('kafkajs/src/protocol/recordBatch/v0/decoder');
  return {
    name: "kafkajs's decoder",
    async run() {
      let count = 0;
      for (let reading = 0; reading < readings; reading += 1) {
        for (const decoder = new Decoder(bytes); decoder.canReadBytes(61); )
          count += (await decode(decoder)).records.length;
      }
      return count;
    },
  };
}

const bytes = await fetched();
const contestants = [ours(bytes, false), theirs(bytes)];
await contest(2, contestants);
report('Reading record batches', 'records', await contest(7, contestants), 2);
report('Reading commands', 'commands', await contest(7, [ours(bytes, true), theirs(bytes)]));
