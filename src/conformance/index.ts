export type { QueueSettings, QueueUnderTest } from './queue-law.ts';
export { type QueueHarness, type QueueLaw, queueLaws } from './queue-suite.ts';
export type { BackupsUnderTest, StoreUnderTest } from './store-law.ts';
export { type StoreHarness, type StoreLaw, storeLaws } from './store-suite.ts';
