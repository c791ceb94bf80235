import type { NumberedCommand } from '../domain/command.ts';
import { type Line, splitLines } from '../domain/lines.ts';
import { readNumbered } from '../publisher/input-event.ts';
import { isOpen, type OpenNumbers, type Supply } from './supply.ts';

/**
 * The numbered events of a file. What nobody waits for, and what is no event that could be sent, is passed over: files
 * of whole days may be given. It is read again as long as that supplies something, since it may be in any order.
 */
export class EventSupply implements Supply {
  readonly #read: () => AsyncIterable<Uint8Array>;

  /** `read`: the file's bytes, from its start at every call. */
  constructor(read: () => AsyncIterable<Uint8Array>) {
    this.#read = read;
  }

  async *commands(open: OpenNumbers): AsyncGenerator<NumberedCommand> {
    for (let isSupplying = true; isSupplying && open.size > 0; ) {
      isSupplying = false;
      for await (const line of splitLines(this.#read())) {
        const command = commandOf(line);
        if (command === undefined || !isOpen(open, command)) continue;
        isSupplying = true;
        yield command;
      }
    }
  }
}

function commandOf({ bytes }: Line): NumberedCommand | undefined {
  if (bytes === undefined) return undefined;
  const event = readNumbered(bytes);
  return event.kind === 'sendable' && event.command.kind === 'numbered' ? event.command : undefined;
}
