import { testRestarts } from '../power-cut/restart.ts';

testRestarts('rocksdb');
