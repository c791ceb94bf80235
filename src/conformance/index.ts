export { type QueueHarness, type QueueLaw, type QueueSettings, type QueueUnderTest, queueLaws } from './queue-suite.ts';
export { type StoreHarness, type StoreLaw, type StoreUnderTest, storeLaws } from './store-suite.ts';
