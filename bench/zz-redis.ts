import { commitToRedis } from './scenarios/redis-commits.ts';
process.exitCode = (await commitToRedis(Number(process.env['BENCH_COMMANDS'] ?? 200_000), Number(process.env['BENCH_ROUNDS'] ?? 3))) ? 0 : 1;
