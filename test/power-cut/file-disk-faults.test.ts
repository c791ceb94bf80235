import { testDiskFaults } from './disk-faults.ts';

testDiskFaults('file');
