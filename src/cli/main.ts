#!/usr/bin/env node
import { exitCodes } from '../compose/exit-codes.ts';
import { interruptionOf } from '../compose/interruption.ts';
import { runProgram } from './run.ts';

const exit = await runProgram({
  words: process.argv.slice(2),
  environment: process.env,
  workingDirectory: process.cwd(),
  input: process.stdin,
  results: process.stdout,
  remarks: process.stderr,
  interruption: interruptionOf(process),
});
process.exitCode = exitCodes[exit].code;
