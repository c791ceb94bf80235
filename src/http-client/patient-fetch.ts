import { type IncomingMessage, request as requestPlainly } from 'node:http';
import { request as requestSecurely } from 'node:https';
import { Readable } from 'node:stream';

/** What is sent: the part of `fetch`'s options that is understood here. */
export interface PatientRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
  readonly signal: AbortSignal;
}

/**
 * Like `fetch`, but waits for the answer as long as it takes: Node's `fetch` gives up after five minutes in which none
 * began. Follows no redirection. Rejects as `fetch` does, with a `TypeError` that has the cause.
 */
export function patientFetch(url: URL, { method, headers, body, signal }: PatientRequest): Promise<Response> {
  const send = url.protocol === 'https:' ? requestSecurely : requestPlainly;
  return new Promise((resolve, reject) => {
    const request = send(url, { method, headers, signal, timeout: 0 }, (answer) => {
      // The answer that a client gets has a status.
      const status = answer.statusCode as number;
      const content = Readable.toWeb(Readable.from(contentOf(answer))) as ReadableStream<Uint8Array>;
      resolve(new Response(content, { status, headers: headersOf(answer) }));
    });
    request.on('error', (cause) => reject(failed(cause)));
    request.end(body);
  });
}

async function* contentOf(answer: IncomingMessage): AsyncGenerator<Uint8Array> {
  try {
    yield* answer;
  } catch (cause) {
    throw failed(cause);
  }
}

function headersOf(answer: IncomingMessage): Headers {
  const headers = new Headers();
  for (const [name, values = []] of Object.entries(answer.headersDistinct)) {
    for (const value of values) headers.append(name, value);
  }
  return headers;
}

function failed(cause: unknown): TypeError {
  return new TypeError('fetch failed', { cause });
}
