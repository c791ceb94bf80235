import { mkdtemp, readdir, rmdir, statfs } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { sizeBelow } from '../growth.ts';
import { queueAddress, storeAddress, storePlace } from '../open.ts';
import { switchedPaths } from '../store-pointer.ts';
import { type Check, type Examined, type Finding, ok, problem, shownBytes, systemCode, warning } from './finding.ts';
import { type FoundPlace, findPlace, type Place, placesOf } from './places.ts';

/** Bytes below which a disk counts as full. */
const leastSpace = 256 * 2 ** 20;
/** What lies in a data directory. */
const ownEntries = ['queue', 'level', 'rocksdb', 'backups', 'service.json'];
/** What macp-runtime keeps in its data directory, and a file store with it. */
const upstreamEntries = ['sessions', 'storage_version.json'];

export const directories: Check = async (examined) => {
  const found = await Promise.all(placesOf(examined.values).map((place) => examine(place, examined)));
  return found.flat();
};

async function examine(place: Place, { machine }: Examined): Promise<readonly Finding[]> {
  const { name, path, setting } = place;
  const elsewhere = `give this user the right to write there, or name another with ${setting}`;
  let found: FoundPlace;
  try {
    found = await findPlace(path);
  } catch (error) {
    return [problem(name, `${path} cannot be looked at (${systemCode(error)})`, elsewhere)];
  }
  if (!found.stats.isDirectory())
    return [problem(name, `${found.path} is no directory`, `move it away, or name another with ${setting}`)];
  const refusal = await refusalToWrite(found.path);
  if (refusal !== undefined) {
    return [problem(name, `${found.path} cannot be written (${refusal}, owner ${found.stats.uid})`, elsewhere)];
  }
  if (!found.exists) return [ok(name, `${path} is not there yet: it is made at the first start`)];
  return place.keepsData ? keepingData(place, found, machine.user) : [ok(name, `${path} can be written`)];
}

/** Why nothing can be made in a directory, as the operating system calls it: rights alone do not tell, above all not root. */
async function refusalToWrite(directory: string): Promise<string | undefined> {
  try {
    await rmdir(await mkdtemp(join(directory, '.macp-persist-doctor-')));
    return undefined;
  } catch (error) {
    return systemCode(error);
  }
}

async function keepingData(
  { name, path }: Place,
  { stats }: FoundPlace,
  user: number | undefined,
): Promise<readonly Finding[]> {
  const findings = [ok(name, `${path} can be written`)];
  if ((stats.mode & 0o022) !== 0) {
    const mode = (stats.mode & 0o777).toString(8);
    findings.push(
      warning(name, `other users may write to it (mode ${mode})`, `take the right away: chmod go-w ${path}`),
    );
  }
  if (user !== undefined && stats.uid !== user) {
    const change = 'run as its owner always: files of several users end in a store that does not open';
    findings.push(warning(name, `it belongs to user ${stats.uid}, this is user ${user}`, change));
  }
  return findings;
}

export const strangers: Check = async ({ values }) => {
  const subject = 'data directory';
  const names = await readdir(values.dataDir).catch(() => []);
  const store = storeAddress(values);
  const isStore = store.kind === 'file' && store.directory === resolve(values.dataDir);
  const own = isStore ? [...ownEntries, ...upstreamEntries] : ownEntries;
  const place = storePlace(values);
  const paths = [
    ...placesOf(values).map(({ path }) => path),
    ...('directory' in place ? switchedPaths(place.directory) : []),
  ];
  const known = new Set(paths.map((path) => relative(values.dataDir, path).split(sep)[0]));
  const strange = names.filter((name) => !own.includes(name) && !known.has(name) && !name.startsWith('.'));
  if (strange.length === 0) return [];
  const shown = strange.slice(0, 5).map((name) => JSON.stringify(name));
  const rest = strange.length > shown.length ? ` and ${strange.length - shown.length} more` : '';
  const change = 'move it away if it was put there by mistake; nothing of it is read';
  return [warning(subject, `holds what this program does not know: ${shown.join(', ')}${rest}`, change)];
};

/** By the magic numbers of statfs(2). */
const fileSystems: Readonly<Record<number, { readonly name: string; readonly risk?: string }>> = {
  61267: { name: 'ext4' },
  1481003842: { name: 'xfs' },
  2435016766: { name: 'btrfs' },
  801189825: { name: 'zfs' },
  16914836: { name: 'tmpfs', risk: 'it lives in memory: nothing there survives a restart of the machine' },
  2240043254: { name: 'ramfs', risk: 'it lives in memory: nothing there survives a restart of the machine' },
  2035054128: { name: 'overlayfs', risk: 'it goes away with its container' },
  26985: { name: 'NFS', risk: 'locks and syncs hold there only as well as its server keeps them' },
  4283649346: { name: 'CIFS', risk: 'locks and syncs hold there only as well as its server keeps them' },
  4266872130: { name: 'SMB', risk: 'locks and syncs hold there only as well as its server keeps them' },
  16914839: { name: '9p', risk: 'locks and syncs hold there only as well as its server keeps them' },
};

/** What a file system of this kind means for data that has to last. */
export function judgeFileSystem(subject: string, type: number): Finding {
  const known = fileSystems[type];
  const name = known?.name ?? `file system 0x${type.toString(16)}`;
  if (known?.risk === undefined) return ok(subject, `on ${name}`);
  return warning(subject, `on ${name}: ${known.risk}`, 'keep data on a disk of this machine, or on a volume');
}

export const space: Check = async ({ values }) => {
  const subject = 'disk';
  const findings: Finding[] = [];
  const seen = new Set<number>();
  for (const place of placesOf(values)) {
    const found = await findPlace(place.path).catch(() => undefined);
    if (found === undefined || seen.has(found.stats.dev)) continue;
    seen.add(found.stats.dev);
    const { type, bavail, bsize } = await statfs(found.path);
    if (place.keepsData) findings.push(judgeFileSystem(subject, type));
    findings.push(judgeSpace(found.path, bavail * bsize, place.keepsData ? await queueGrowth(values) : 0));
  }
  return findings;
};

/** What free space means where `growth` more bytes may be kept. */
export function judgeSpace(path: string, free: number, growth: number): Finding {
  const found = `${shownBytes(free)} free at ${path}`;
  if (free < leastSpace) return problem('disk', `only ${found}`, 'make room: on a full disk nothing is persisted');
  if (free >= growth) return ok('disk', found);
  const change = 'make room, or lower embedded.maximumBacklog and embedded.retentionSize';
  return warning('disk', `only ${found}, the queue may come to keep ${shownBytes(growth)} more`, change);
}

async function queueGrowth(values: Examined['values']): Promise<number> {
  const queue = queueAddress(values);
  if (queue.kind !== 'embedded') return 0;
  const most = values['embedded.maximumBacklog'] + values['embedded.retentionSize'];
  return Math.max(0, most - (await sizeBelow(queue.directory)));
}
