import { persistFromBullmq } from './scenarios/bullmq-persist.ts';
import { readFromBullmq } from './scenarios/bullmq-read.ts';
import { failOver } from './scenarios/failover.ts';
import { publishFenced } from './scenarios/fenced-publish.ts';
import { commitToFiles } from './scenarios/file-commits.ts';
import { appendThroughGateway } from './scenarios/gateway.ts';
import { loadLogs } from './scenarios/http-load.ts';
import { publishToReadable } from './scenarios/http-publish.ts';
import { persistFromKafka } from './scenarios/kafka-persist.ts';
import { publishToKafka } from './scenarios/kafka-publish.ts';
import { readFromKafka } from './scenarios/kafka-read.ts';
import { backlogMemory } from './scenarios/memory.ts';
import { persistBacklog } from './scenarios/persist-backlog.ts';
import { publishDurably } from './scenarios/publish.ts';
import { readLongLog } from './scenarios/read-log.ts';
import { commitToRedis } from './scenarios/redis-commits.ts';
import { rebuildStores } from './scenarios/replay.ts';
import { commitToRocksdb } from './scenarios/rocksdb-commits.ts';
import { soak } from './scenarios/soak.ts';
import { takeOver } from './scenarios/take-over.ts';
import { verifyStores } from './scenarios/verify.ts';
import { verifyMemory } from './scenarios/verify-memory.ts';
import { commitSizes } from './store/commit-sizes.ts';

/**
 * `npm run bench [NAME…]`: every scenario, or those named. Contestants take turns within one run and what counts is
 * their ratio, because machines differ and are noisy. Exits 1 when a figure that is asked for is missed.
 */
const scenarios: Readonly<Record<string, () => Promise<boolean>>> = {
  persist: () => persistBacklog(size('BENCH_COMMANDS', 500_000), size('BENCH_ROUNDS', 3)),
  publish: () => publishDurably(size('BENCH_COMMANDS', 200_000), size('BENCH_ROUNDS', 5)),
  commits: () => commitSizes(size('BENCH_COMMANDS', 300_000), size('BENCH_ROUNDS', 3)),
  read: () => readLongLog(size('BENCH_ROUNDS', 5)),
  'http-publish': () => publishToReadable(size('BENCH_ROUNDS', 5)),
  'http-load': () => loadLogs(size('BENCH_ROUNDS', 5)),
  'kafka-persist': () => persistFromKafka(size('BENCH_COMMANDS', 500_000), size('BENCH_ROUNDS', 3)),
  'kafka-publish': () => publishToKafka(size('BENCH_COMMANDS', 200_000), size('BENCH_ROUNDS', 5)),
  gateway: () => appendThroughGateway(size('BENCH_ROUNDS', 3)),
  'fenced-publish': () => publishFenced(size('BENCH_ROUNDS', 3)),
  failover: () => failOver(size('BENCH_ROUNDS', 3)),
  'kafka-read': () => readFromKafka(size('BENCH_ROUNDS', 5)),
  replay: () => rebuildStores(size('BENCH_COMMANDS', 500_000), size('BENCH_ROUNDS', 3)),
  'bullmq-persist': () => persistFromBullmq(size('BENCH_COMMANDS', 300_000), size('BENCH_ROUNDS', 3)),
  'bullmq-read': () => readFromBullmq(size('BENCH_ROUNDS', 5)),
  'take-over': () => takeOver(size('BENCH_ROUNDS', 3)),
  redis: () => commitToRedis(size('BENCH_COMMANDS', 300_000), size('BENCH_ROUNDS', 5)),
  file: () => commitToFiles(size('BENCH_COMMANDS', 400_000), size('BENCH_ROUNDS', 5)),
  rocksdb: () => commitToRocksdb(size('BENCH_COMMANDS', 200_000), size('BENCH_ROUNDS', 5)),
  memory: () => backlogMemory(size('BENCH_COMMANDS', 1_000_000)),
  verify: () => verifyStores(size('BENCH_COMMANDS', 500_000), size('BENCH_ROUNDS', 5)),
  'verify-memory': () => verifyMemory(size('BENCH_COMMANDS', 5_000_000)),
  soak: () => soak(size('BENCH_COMMANDS', 10_000_000)),
};

function size(variable: string, otherwise: number): number {
  return Number(process.env[variable] ?? otherwise);
}

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(scenarios);
let allMet = true;
for (const name of names) {
  const scenario = scenarios[name];
  if (scenario === undefined) throw new Error(`no scenario ${name}; there are ${Object.keys(scenarios).join(', ')}`);
  allMet = (await scenario()) && allMet;
}
process.exitCode = allMet ? 0 : 1;
