import autocannon from 'autocannon';
import { sessionIds } from '../support/entries.ts';

/** What to load, see {@link LogLoad}. */
export interface LogLoadRequest {
  readonly url: string;
  readonly sessions: number;
  readonly connections: number;
  readonly seconds: number;
}

/** How a server answered. Latencies in milliseconds. */
export interface LogLoad {
  readonly requestsPerSecond: number;
  readonly bytesPerRequest: number;
  readonly median: number;
  readonly p99: number;
}

const request = JSON.parse(process.argv[2] ?? '') as LogLoadRequest;
const { url, connections, seconds } = request;
const paths = sessionIds(request.sessions).map((session) => ({ path: `/v1/sessions/${session}/log` }));
let begun = 0;
const latencies: number[] = [];

/** Each connection goes round over all sessions from a place of its own: none reads what another has just read. */
function spread(client: autocannon.Client): void {
  const start = Math.floor((begun * paths.length) / connections);
  begun += 1;
  client.setRequests([...paths.slice(start), ...paths.slice(0, start)]);
  client.on('response', (_status, _bytes, milliseconds) => latencies.push(milliseconds));
}

const result = await autocannon({ url, connections, duration: seconds, requests: paths, setupClient: spread });
if (result.errors + result.non2xx > 0) throw new Error(`${result.errors} errors, ${result.non2xx} other answers`);
latencies.sort((one, other) => one - other);
const percentile = (part: number): number => latencies[Math.floor(latencies.length * part)] ?? Number.NaN;
const load: LogLoad = {
  requestsPerSecond: result.requests.total / result.duration,
  bytesPerRequest: result.throughput.total / result.requests.total,
  median: percentile(0.5),
  p99: percentile(0.99),
};
console.log(JSON.stringify(load));
