import { testRestarts } from './restart.ts';

testRestarts('level');
