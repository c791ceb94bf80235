import type { Redis } from 'ioredis';

/** What macp-runtime's Redis backend does with a command, in its own calls. */
export async function writeAsUpstream(client: Redis, prefix: string, line: Uint8Array): Promise<void> {
  const text = Buffer.from(line).toString('utf8');
  const { type, subject } = JSON.parse(text);
  const data = text.slice(text.indexOf('"data":') + '"data":'.length, -1);
  const [session, log] = [`${prefix}:session:${subject}`, `${prefix}:log:${subject}`];
  if (type === 'macp.session.create.v1') await client.sadd(`${prefix}:sessions`, subject);
  if (type === 'macp.log.append.v1') await client.rpush(log, data);
  if (type === 'macp.session.save.v1') await client.set(session, data);
  if (type === 'macp.session.delete.v1') {
    await client.del(session, log, `${prefix}:receipt:${subject}`, `${prefix}:anchor:${subject}`);
    await client.srem(`${prefix}:sessions`, subject);
  }
  if (type === 'macp.log.replace.v1') {
    await client.del(log);
    for (const entry of splitEntries(data)) await client.rpush(log, entry);
  }
}

/** The texts of a JSON array's items, by their depth alone. */
function splitEntries(array: string): readonly string[] {
  const found: string[] = [];
  let depth = 0;
  let start = 1;
  let inText = false;
  for (let at = 0; at < array.length; at += 1) {
    const character = array[at];
    if (inText && character === '\\') at += 1;
    else if (character === '"') inText = !inText;
    else if (!inText && (character === '[' || character === '{')) depth += 1;
    else if (!inText && (character === ']' || character === '}')) depth -= 1;
    if (inText || !((depth === 1 && character === ',') || (depth === 0 && at === array.length - 1))) continue;
    if (at > start) found.push(array.slice(start, at));
    start = at + 1;
  }
  return found;
}

/** Everything that upstream would find under the prefix. */
export async function upstreamKeys(client: Redis, prefix: string): Promise<Readonly<Record<string, unknown>>> {
  const keys = (await client.keys(`${prefix}:*`)).filter((key) => !key.startsWith(`${prefix}:worker:`));
  const found: Record<string, unknown> = {};
  for (const key of keys.sort()) {
    const name = key.slice(prefix.length);
    const type = await client.type(key);
    if (type === 'string') found[name] = await client.get(key);
    else if (type === 'list') found[name] = await client.lrange(key, 0, -1);
    else found[name] = (await client.smembers(key)).sort();
  }
  return found;
}
