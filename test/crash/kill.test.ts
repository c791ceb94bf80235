import { testKills } from './kills.ts';

testKills('level', 100, [
  { folder: 'v0.4.0', expected: 'expected.ndjson', kills: 100 },
  { folder: 'v0.13.0', expected: 'expected.ndjson', kills: 100 },
  { folder: 'edge', expected: 'expected-verbatim.ndjson', kills: 20 },
]);
