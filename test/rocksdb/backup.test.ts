import { testBackupKills } from '../crash/backup-kills.ts';
import { testBackupCuts } from '../power-cut/backup-cuts.ts';

testBackupKills('rocksdb');
testBackupCuts('rocksdb');
