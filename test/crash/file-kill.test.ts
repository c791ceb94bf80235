import { testKills } from './kills.ts';

testKills('file', 700, [
  { folder: 'v0.4.0', expected: 'expected.ndjson', kills: 60 },
  { folder: 'v0.13.0', expected: 'expected.ndjson', kills: 60 },
  { folder: 'edge', expected: 'expected-verbatim.ndjson', kills: 20 },
]);
