import { testBackupKills } from './backup-kills.ts';

testBackupKills('file');
