#!/usr/bin/env node
// The worker as a program of its own, set by the environment and the configuration file: `node dist/workers/worker.js`.
import { runWorkerProcess } from '../src/compose/worker-process.ts';

process.exitCode = await runWorkerProcess(process);
