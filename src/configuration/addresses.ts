import { suggestion } from './names.ts';
import { shownValue } from './redaction.ts';

/** Where a store lies. */
export type StoreAddress =
  | { readonly kind: 'memory' }
  | { readonly kind: 'level'; readonly directory: string }
  | { readonly kind: 'file'; readonly directory: string }
  | { readonly kind: 'rocksdb'; readonly directory: string }
  | RedisAddress;

/** Where a queue, or another source of commands, lies. */
export type QueueAddress =
  | { readonly kind: 'memory' }
  | { readonly kind: 'embedded'; readonly directory: string }
  | { readonly kind: 'kafka'; readonly brokers: readonly string[]; readonly topic: string }
  | BullmqAddress
  | { readonly kind: 'archive'; readonly directory: string }
  | { readonly kind: 'ndjson'; readonly file: string };

export interface RedisAddress extends RedisPlace {
  readonly kind: 'redis';
}

export interface BullmqAddress extends RedisPlace {
  readonly kind: 'bullmq';
}

/** Where something lies in Redis. */
interface RedisPlace {
  readonly tls: boolean;
  readonly host: string;
  readonly port: number;
  readonly database: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Prefix of all keys; that of upstream's store is `macp`. */
  readonly prefix: string;
}

/** A kind by its name alone: where it lies follows from other settings. */
interface NamedKind<Kind extends string> {
  readonly kind: Kind;
  readonly named: true;
}

export type StoreReference = StoreAddress | NamedKind<StoreAddress['kind']>;
export type QueueReference = QueueAddress | NamedKind<'memory' | 'embedded' | 'bullmq'>;

/** Says what is wrong with an address, never showing what may be a secret. */
export class AddressProblem extends Error {}

type Forms<Address> = Readonly<
  Record<string, { readonly syntax: string; readonly read: (rest: string) => Address; readonly named: boolean }>
>;

const storeForms: Forms<StoreAddress> = {
  memory: { syntax: 'memory:', named: true, read: (rest) => nothing('memory', rest) },
  level: {
    syntax: 'level:DIR',
    named: true,
    read: (rest) => ({ kind: 'level', directory: path('level', 'DIR', rest) }),
  },
  file: { syntax: 'file:DIR', named: true, read: (rest) => ({ kind: 'file', directory: path('file', 'DIR', rest) }) },
  rocksdb: {
    syntax: 'rocksdb:DIR',
    named: true,
    read: (rest) => ({ kind: 'rocksdb', directory: path('rocksdb', 'DIR', rest) }),
  },
  redis: { syntax: 'redis://HOST:PORT/DATABASE?prefix=macp', named: true, read: (rest) => redis(rest, false) },
  rediss: { syntax: 'rediss://HOST:PORT/DATABASE?prefix=macp', named: false, read: (rest) => redis(rest, true) },
};

const queueForms: Forms<QueueAddress> = {
  memory: { syntax: 'memory:', named: true, read: (rest) => nothing('memory', rest) },
  embedded: {
    syntax: 'embedded:DIR',
    named: true,
    read: (rest) => ({ kind: 'embedded', directory: path('embedded', 'DIR', rest) }),
  },
  kafka: { syntax: 'kafka://HOST:PORT,HOST:PORT/TOPIC', named: false, read: kafka },
  bullmq: { syntax: 'bullmq://HOST:PORT/DATABASE?prefix=macp', named: true, read: (rest) => bullmq(rest, false) },
  bullmqs: {
    syntax: 'bullmqs://HOST:PORT/DATABASE?prefix=macp',
    named: false,
    read: (rest) => bullmq(rest, true),
  },
  archive: {
    syntax: 'archive:DIR',
    named: false,
    read: (rest) => ({ kind: 'archive', directory: path('archive', 'DIR', rest) }),
  },
  ndjson: {
    syntax: 'ndjson:FILE',
    named: false,
    read: (rest) => ({ kind: 'ndjson', file: path('ndjson', 'FILE', rest) }),
  },
};

/** The forms of the addresses of these kinds of stores, for people. */
export function storeSyntax(kinds: readonly string[]): string {
  return syntaxOf(formsOf(storeForms, kinds));
}

/** The forms of the addresses of these kinds of queues, for people. */
export function queueSyntax(kinds: readonly string[]): string {
  return syntaxOf(formsOf(queueForms, kinds));
}

/**
 * Reads a store's kind name or URL. Paths stay as written. Throws {@link AddressProblem}, which points at the kinds
 * of `offered` only.
 */
export function parseStoreReference(text: string, offered: readonly string[]): StoreReference {
  return parse('store', text, storeForms, offered) as StoreReference;
}

/** Reads a queue's kind name or URL, as {@link parseStoreReference} does a store's. */
export function parseQueueReference(text: string, offered: readonly string[]): QueueReference {
  return parse('queue', text, queueForms, offered) as QueueReference;
}

/** An address as text, its password left out. */
export function showAddress(address: StoreReference | QueueReference): string {
  if ('named' in address) return address.kind;
  switch (address.kind) {
    case 'memory':
      return 'memory:';
    case 'kafka':
      return `kafka://${address.brokers.join(',')}/${address.topic}`;
    case 'ndjson':
      return `ndjson:${address.file}`;
    case 'redis':
    case 'bullmq': {
      const user = address.username === undefined && address.password === undefined ? '' : '(secret)@';
      const host = address.host.includes(':') ? `[${address.host}]` : address.host;
      return `${address.kind}${address.tls ? 's' : ''}://${user}${host}:${address.port}/${address.database}?prefix=${address.prefix}`;
    }
    default:
      return `${address.kind}:${address.directory}`;
  }
}

function parse<Address>(
  what: string,
  text: string,
  forms: Forms<Address>,
  offered: readonly string[],
): Address | NamedKind<string> {
  const colon = text.indexOf(':');
  const name = colon === -1 ? text : text.slice(0, colon);
  const form = Object.hasOwn(forms, name) ? forms[name] : undefined;
  if (form === undefined || (colon === -1 && !form.named)) {
    const known = formsOf(forms, offered);
    const hint = form === undefined ? suggestion(name, Object.keys(known)) : `; write ${form.syntax}`;
    const shown = colon === -1 ? shownValue(name) : shownValue(`${name}:`);
    throw new AddressProblem(`${shown} is no kind of ${what}${hint || `; write one of ${syntaxOf(known)}`}`);
  }
  return colon === -1 ? { kind: name, named: true } : form.read(text.slice(colon + 1));
}

/** The forms of these kinds; a kind's form over TLS has one letter more. */
function formsOf<Address>(forms: Forms<Address>, kinds: readonly string[]): Forms<Address> {
  return Object.fromEntries(
    Object.entries(forms).filter(([name, { named }]) => kinds.includes(named ? name : name.replace(/s$/, ''))),
  );
}

function syntaxOf(forms: Forms<unknown>): string {
  const all = Object.entries(forms).flatMap(([name, form]) => (form.named ? [name, form.syntax] : [form.syntax]));
  return [...new Set(all)].join(', ');
}

function nothing(kind: 'memory', rest: string): { readonly kind: 'memory' } {
  if (rest !== '') throw new AddressProblem('memory: takes nothing after its colon');
  return { kind };
}

function path(kind: string, placeholder: string, rest: string): string {
  if (rest === '')
    throw new AddressProblem(
      `${kind}: names no ${placeholder === 'DIR' ? 'directory' : 'file'}; write ${kind}:${placeholder}`,
    );
  if (rest.includes('\0')) throw new AddressProblem(`${kind}: has a NUL in its path`);
  // "level://data" reads as a host in every other URL, and as "/data" to the file system: neither was meant.
  if (/^\/\/[^/]/.test(rest))
    throw new AddressProblem(`${kind}: takes a path, not //; write ${kind}:${placeholder} or ${kind}:/absolute/path`);
  if (rest.startsWith('~/')) throw new AddressProblem(`${kind}: does not expand ~; write the whole path`);
  return rest.startsWith('//') ? rest.slice(2) : rest;
}

function redis(rest: string, tls: boolean): RedisAddress {
  return { kind: 'redis', ...redisPlace('redis', rest, tls) };
}

function bullmq(rest: string, tls: boolean): BullmqAddress {
  return { kind: 'bullmq', ...redisPlace('bullmq', rest, tls) };
}

function redisPlace(kind: string, rest: string, tls: boolean): RedisPlace {
  const scheme = tls ? `${kind}s` : kind;
  const url = URL.canParse(`${scheme}:${rest}`) ? new URL(`${scheme}:${rest}`) : undefined;
  if (url === undefined || !rest.startsWith('//') || url.hostname === '' || url.hash !== '') {
    throw new AddressProblem(`${scheme}: is not a URL of the form ${scheme}://HOST:PORT/DATABASE?prefix=macp`);
  }
  const database = /^\/?$/.test(url.pathname) ? '0' : url.pathname.slice(1);
  if (!/^(?:0|[1-9][0-9]{0,5})$/.test(database))
    throw new AddressProblem(`${scheme}: names a database that is no number; write //HOST:PORT/0`);
  for (const name of url.searchParams.keys()) {
    if (name !== 'prefix')
      throw new AddressProblem(`${scheme}: has an unknown parameter ${JSON.stringify(name)}; only prefix is known`);
  }
  const prefixes = url.searchParams.getAll('prefix');
  if (prefixes.length > 1 || prefixes[0] === '')
    throw new AddressProblem(`${scheme}: needs one prefix that is not empty`);
  return {
    tls,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? 6379 : Number(url.port),
    database: Number(database),
    username: url.username === '' ? undefined : decoded(scheme, url.username),
    password: url.password === '' ? undefined : decoded(scheme, url.password),
    prefix: prefixes[0] ?? 'macp',
  };
}

function decoded(scheme: string, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new AddressProblem(`${scheme}: has user info with a bare %; write %25`);
  }
}

// Apache Kafka, `Topic.validate`: at most 249 characters, letters, digits, ".", "_" and "-", neither "." nor "..".
const topicName = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}$/;
const brokerName = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})$/;

function kafka(rest: string): QueueAddress {
  const parts = /^\/\/([^/]+)\/([^/]+)$/.exec(rest);
  const [, list, topic] = parts ?? [];
  if (list === undefined || topic === undefined)
    throw new AddressProblem('kafka: is not of the form kafka://HOST:PORT,HOST:PORT/TOPIC');
  const brokers = list.split(',');
  const wrong = brokers.findIndex((broker) => !isBroker(broker));
  if (wrong !== -1) throw new AddressProblem(`kafka: broker ${wrong + 1} of ${brokers.length} is not HOST:PORT`);
  if (!topicName.test(topic)) throw new AddressProblem('kafka: has a topic name that Kafka does not allow');
  return { kind: 'kafka', brokers, topic };
}

function isBroker(text: string): boolean {
  const port = Number(brokerName.exec(text)?.[1]);
  return port >= 1 && port <= 65_535;
}
