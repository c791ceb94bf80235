#!/usr/bin/env node
import { exitAtOnce } from '../compose/exit-at-once.ts';
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
  interruption: interruptionOf(process, (code) => exitAtOnce(process, code)),
});
if (exit === 'stalled') exitAtOnce(process, exitCodes[exit].code);
process.exitCode = exitCodes[exit].code;
