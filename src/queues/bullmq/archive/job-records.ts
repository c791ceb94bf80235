import {
  headBytes,
  prefixBytes,
  type RecordFrame,
  type RecordKind,
  recordOffset,
  sealRecord,
  writeHead,
} from '../../../segments/frame.ts';
import { noRecord } from '../../../segments/segment.ts';
import { deliveriesOf, type ReadJob, type ShardPlace } from '../job-delivery.ts';
import { RepeatedAttributes } from '../repeated-attributes.ts';

/**
 * A job as the archive keeps it: behind the head of its record, whose offset is the job's first,
 *
 *           u32 count of its events     f64 when it was published     its data, as it was in Redis
 */
const bodyAt = { count: headBytes, time: headBytes + 4, data: headBytes + 12 } as const;
const overhead = prefixBytes + bodyAt.data;

/** Jobs as they are written together. */
export interface EncodedJobs {
  readonly bytes: Buffer;
  /** Where the last of them begins. */
  readonly lastAt: number;
}

/** The jobs of a shard as one group of records, appended at `now` (ms since 1970). */
export function encodeJobs(jobs: readonly ReadJob[], shard: number, now: number, salt: number): EncodedJobs {
  const group = Buffer.allocUnsafe(jobs.reduce((sum, { data }) => sum + overhead + data.length, 0));
  let at = 0;
  let lastAt = 0;
  for (const { first, count, time, data } of jobs) {
    const body = at + prefixBytes;
    writeHead(group, at, shard, first, now);
    group.writeUInt32BE(count, body + bodyAt.count);
    group.writeDoubleBE(time, body + bodyAt.time);
    group.set(data, body + bodyAt.data);
    const end = body + bodyAt.data + data.length;
    sealRecord(group, at, end, salt);
    lastAt = at;
    at = end;
  }
  return { bytes: group, lastAt };
}

/** The job of a record. Its data lies in the record's bytes, it is no copy. */
export function decodeJob({ bytes, start, end }: RecordFrame): ReadJob {
  const body = start + prefixBytes;
  return {
    first: recordOffset(bytes, start),
    count: bytes.readUInt32BE(body + bodyAt.count),
    time: bytes.readDoubleBE(body + bodyAt.time),
    data: bytes.subarray(body + bodyAt.data, end),
  };
}

/** What segments know of a shard's jobs: digests are those of the deliveries that they become. */
export function jobRecords(place: ShardPlace): RecordKind {
  const attributes = new RepeatedAttributes();
  return {
    offsets: (frame) => decodeJob(frame).count,
    digest: (frame) => deliveriesOf(decodeJob(frame), place, attributes).at(-1)?.recordDigest() ?? noRecord,
  };
}
