import { Writable } from 'node:stream';
import { type Logger, pino } from 'pino';

/** A logger whose lines are kept, parsed. */
export function keptLog(level = 'debug'): { readonly logger: Logger; readonly lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(JSON.parse(chunk.toString('utf8')));
      done();
    },
  });
  return { logger: pino({ level }, stream), lines };
}
