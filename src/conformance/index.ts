export { type StoreHarness, type StoreLaw, type StoreUnderTest, storeLaws } from './store-suite.ts';
