#!/usr/bin/env node
// The worker as a program of its own, for process managers and containers: `node dist/workers/worker.js [OPTIONS]`.
import { runWorkerProcess } from '../src/compose/worker-process.ts';

process.exitCode = await runWorkerProcess(process);
