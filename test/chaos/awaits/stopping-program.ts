import { createHash } from 'node:crypto';
import { writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Order, Phase, Said } from './orders.ts';

// Loaded before a program whose modules were instrumented: the process stops itself at every await that it comes to and
// at which nobody has stopped yet, once while it works on shards and once while it does not. What is awaited has begun
// by then (`before`), or is over and nothing was made of it yet (`after`).

/** Where whoever stops leaves a file of each stop. Undefined: this process does not stop. */
const claims = process.env['AWAITS_CLAIMS'];
const passed = new Set<string>();
const pending = new Map<string, number>();
let isAtWork = false;

const orders = createInterface({ input: process.stdin });
orders.on('line', (order: Order) => {
  if (order === 'tell') say({ msg: 'awaits', pending: Object.fromEntries(pending) });
  else isAtWork = order === 'works';
});
if ('unref' in process.stdin && typeof process.stdin.unref === 'function') process.stdin.unref();

function say(said: Said): void {
  writeSync(2, `${JSON.stringify(said)}\n`);
}

const sleeper = new Int32Array(new SharedArrayBuffer(4));
/** Milliseconds: a signal that a process sends to itself stops it a moment later. */
const moment = 50;

function passing(name: string, phase: Phase): void {
  if (claims === undefined) return;
  const point = `${name} (${phase})`;
  const stop = `${point}${isAtWork ? ' at work' : ''}`;
  if (passed.has(stop)) return;
  passed.add(stop);
  if (!isFirst(claims, stop)) return;
  say({ msg: 'stops at an await', point });
  process.kill(process.pid, 'SIGSTOP');
  Atomics.wait(sleeper, 0, 0, moment);
}

/** Of all processes together. */
function isFirst(directory: string, stop: string): boolean {
  const name = createHash('sha256').update(stop).digest('hex');
  try {
    writeFileSync(join(directory, name), stop, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

async function awaiting<Value>(name: string, value: Value): Promise<Awaited<Value>> {
  pending.set(name, (pending.get(name) ?? 0) + 1);
  passing(name, 'before');
  try {
    return await value;
  } finally {
    passing(name, 'after');
    const left = (pending.get(name) ?? 0) - 1;
    if (left > 0) pending.set(name, left);
    else pending.delete(name);
  }
}

async function* iterating<Value>(name: string, values: AsyncIterable<Value>): AsyncGenerator<Value> {
  passing(name, 'before');
  for await (const value of values) {
    passing(name, 'after');
    yield value;
    passing(name, 'before');
  }
  passing(name, 'after');
}

Object.assign(globalThis, { macpAwaiting: awaiting, macpIterating: iterating });
