import { Command } from 'ioredis';
import { encodeRequest } from './request.ts';

/** What Redis answers, bytes as they are: nothing of it is text before somebody knows it to be. */
export type Reply = Buffer | number | null | readonly Reply[];

/** Text goes as UTF-8, bytes as they are. */
export type Argument = string | Uint8Array;

/** Keys by which a command finds its node in a cluster: of one script, all lie in one slot. */
type Routing = readonly string[];

/**
 * A command that remembers on which connections it was written. ioredis is given only as much of it as it needs to
 * find the node; so what it adds to errors holds no data, and nothing is gone through that is written out anyway.
 */
export class SentCommand extends Command {
  readonly sockets: object[] = [];
  readonly #arguments: readonly Argument[];

  constructor(name: Uppercase<string>, args: readonly Argument[], routing: Routing = args.slice(0, 1).map(asText)) {
    super(name, [...routing], { replyEncoding: null });
    this.#arguments = args;
  }

  override toWritable(socket: object): string | Buffer {
    this.sockets.push(socket);
    return encodeRequest(this.name, this.#arguments);
  }
}

function asText(argument: Argument): string {
  return typeof argument === 'string' ? argument : Buffer.from(argument).toString('utf8');
}
