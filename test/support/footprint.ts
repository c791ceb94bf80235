import { readFileSync } from 'node:fs';

/** What a service may take whatever is done to it: that of a worker with a large backlog, and room for bodies. */
export const mostMebibytes = 400;

/** Anonymous memory of a process, in MiB, from /proc (Linux): LevelDB's mapped files do not count. */
export function anonymousMebibytes(pid: number | undefined): number {
  const found = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (found === undefined) throw new Error(`/proc/${pid}/status does not tell of anonymous memory`);
  return Number(found) / 1024;
}

/** The statuses that a service has answered with so far, by its own metrics. */
export async function answeredStatuses(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<readonly number[]> {
  const text = await (await fetch(`${url}/metrics`, { headers })).text();
  const statuses = [...text.matchAll(/^macp_persist_http_requests_total\{.*status="(\d+)"\}/gm)];
  if (statuses.length === 0) throw new Error(`the metrics tell of no request:\n${text}`);
  return [...new Set(statuses.map(([, status]) => Number(status)))].sort();
}
