const redis = ['a Redis that can be started', 'Redis'];
const kafka = ['a Kafka that can be started', 'Kafka'];

/**
 * The test suites, in the order in which they run: what fails fast comes first. One folder under `test/` each.
 * Suites of one `group` run side by side; `timeout` is the most milliseconds that one test may take, far above what
 * any needs, so that only a hanging test meets it. `needs` names what must be on the machine first. What is `separate`
 * runs only where it is named: it needs more than everybody has. The files of a suite whose `workers` is 1 have the
 * machine to themselves, one after another.
 */
export const suites = [
  { name: 'unit', group: 1, timeout: 60_000, needs: [] },
  { name: 'laws', group: 1, timeout: 120_000, needs: [] },
  { name: 'architecture', group: 1, timeout: 120_000, needs: [] },
  { name: 'integration', group: 2, timeout: 300_000, needs: ['curl', 'Python'] },
  { name: 'regression', group: 2, timeout: 300_000, needs: [] },
  { name: 'simulation', group: 3, timeout: 900_000, needs: [] },
  {
    name: 'rocksdb',
    group: 3,
    timeout: 900_000,
    needs: ['C compiler', 'Python', 'RocksDB addon', 'RocksDB libraries'],
  },
  { name: 'redis', group: 4, timeout: 300_000, needs: [...redis, 'strace'] },
  { name: 'bullmq', group: 4, timeout: 300_000, needs: redis },
  { name: 'kafka', group: 5, timeout: 300_000, needs: [...kafka, ...redis, 'kcat', 'confluent-kafka for Python'] },
  { name: 'chaos', group: 6, workers: 1, timeout: 900_000, needs: ['a Kafka that can be started', ...redis, 'kcat'] },
  { name: 'fuzz', group: 7, timeout: 600_000, needs: ['schemathesis'] },
  { name: 'crash', group: 8, timeout: 900_000, needs: ['C compiler'] },
  { name: 'power-cut', group: 9, timeout: 900_000, needs: ['C compiler'] },
  {
    name: 'interop',
    group: 10,
    timeout: 900_000,
    needs: [
      ...redis,
      'a Kafka that can be started',
      'C compiler',
      'curl',
      'RocksDB addon',
      'macp-storage',
      'macp-runtime',
      'faketime',
    ],
    separate: true,
  },
];
