import { testRestarts } from './restart.ts';

testRestarts('file');
