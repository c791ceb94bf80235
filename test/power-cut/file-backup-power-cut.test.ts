import { testBackupCuts } from './backup-cuts.ts';

testBackupCuts('file');
