import type { HttpServer } from '../../../src/http-server/server.ts';
import type { PublishResult, Service } from '../../../src/ports/service.ts';
import { stubService } from './stub-service.ts';

/** The arguments of one call. */
type Asked = readonly unknown[];

/** A service that keeps what it is asked, and answers `answer` to everything. */
export function recording(
  method: Exclude<keyof Service, symbol>,
  answer: unknown,
): { readonly service: Service; readonly asked: Asked[] } {
  const asked: Asked[] = [];
  const record = async (...all: Asked) => {
    asked.push(all);
    if (answer instanceof Error) throw answer;
    return answer;
  };
  async function* pages(...all: Asked): AsyncGenerator<unknown> {
    asked.push(all);
    yield* answer as unknown[];
  }
  const streams = ['log', 'incoming', 'follow', 'dump'].includes(method);
  return { asked, service: stubService({ [method]: streams ? pages : record }) };
}

export async function ask(server: HttpServer, path: string, init: RequestInit = {}): Promise<Response> {
  return await fetch(server.url + path, init);
}

export const hostile = 'a%b c?d#é"<日';
export const hostilePath = encodeURIComponent(hostile);
/** What became of one command. */
export const result: PublishResult = {
  session_id: 'a',
  id: 'a/1/1',
  writer: '//w',
  epoch: 1,
  sequence: 1,
  position: { partition: 0, offset: 0 },
  outcome: 'applied',
  dead_letter: null,
};
