import { testDiskFaults } from '../power-cut/disk-faults.ts';

testDiskFaults('rocksdb');
