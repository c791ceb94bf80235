import { testKills } from '../crash/kills.ts';

// More than half of them are those of opening RocksDB.
testKills('rocksdb', 200, [
  { folder: 'v0.4.0', expected: 'expected.ndjson', kills: 50 },
  { folder: 'v0.13.0', expected: 'expected.ndjson', kills: 50 },
  { folder: 'edge', expected: 'expected-verbatim.ndjson', kills: 20 },
]);
