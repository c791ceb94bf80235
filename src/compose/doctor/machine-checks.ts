import { type Check, ok, problem, shownBytes, warning } from './finding.ts';

const oldestNode = { major: 20, minor: 19 };
/** Bytes that a worker takes at most besides what requests hold. */
const workerMemory = 300 * 2 ** 20;
/** Files that store and queue have open at most. */
const databaseFiles = 1_100;
const oldestTime = Date.UTC(2025, 0, 1);
const latestTime = Date.UTC(2100, 0, 1);

export const nodeVersion: Check = async ({ machine }) => {
  const subject = 'node';
  const [major = 0, minor = 0] = machine.nodeVersion.split('.').map(Number);
  const { major: oldest, minor: oldestMinor } = oldestNode;
  if (major > oldest || (major === oldest && minor >= oldestMinor))
    return [ok(subject, `version ${machine.nodeVersion}`)];
  const change = `install Node.js ${oldest}.${oldestMinor} or newer`;
  return [problem(subject, `version ${machine.nodeVersion} is too old`, change)];
};

export const memory: Check = async ({ machine, values }) => {
  const subject = 'memory';
  const needed = workerMemory + values['http.maximumBuffered'];
  const found = `${shownBytes(machine.memory)} may be used`;
  if (machine.memory >= needed) return [ok(subject, found)];
  const change = `allow ${shownBytes(needed)}, or lower http.maximumBuffered, worker.batchSize and worker.cachedSessions`;
  return [warning(subject, `only ${found}, a worker with the HTTP API takes up to ${shownBytes(needed)}`, change)];
};

export const openFiles: Check = async ({ machine, values }) => {
  const subject = 'open files';
  const needed = databaseFiles + values['http.maximumConnections'];
  if (machine.openFiles === undefined) return [ok(subject, 'no limit is known')];
  const found = `${machine.openFiles} may be open at a time`;
  if (machine.openFiles >= needed) return [ok(subject, found)];
  const change = `allow ${needed} (ulimit -n, LimitNOFILE), or lower http.maximumConnections`;
  return [warning(subject, `only ${found}, store, queue and connections take up to ${needed}`, change)];
};

export const clock: Check = async ({ clock: { now } }) => {
  const subject = 'clock';
  const time = now();
  const found = `it is ${new Date(time).toISOString()}`;
  if (time >= oldestTime && time < latestTime) return [ok(subject, found)];
  return [
    problem(subject, `${found}, which cannot be`, 'set the clock, and keep it right with NTP: retention goes by it'),
  ];
};
