import { Command } from 'ioredis';

/** What Redis answers, bytes as they are: nothing of it is text before somebody knows it to be. */
export type Reply = Buffer | number | null | readonly Reply[];

/** Text goes as UTF-8, bytes as they are. */
export type Argument = string | Uint8Array;

/** A command that remembers on which connections it was written. */
export class SentCommand extends Command {
  readonly sockets: object[] = [];

  constructor(name: Uppercase<string>, args: readonly Argument[]) {
    super(name, args.map(asArgument), { replyEncoding: null });
  }

  override toWritable(socket: object): string | Buffer {
    this.sockets.push(socket);
    return super.toWritable(socket);
  }
}

/** ioredis takes bytes for bytes only where they are a Buffer. */
function asArgument(argument: Argument): string | Buffer {
  if (typeof argument === 'string' || argument instanceof Buffer) return argument;
  return Buffer.from(argument.buffer, argument.byteOffset, argument.byteLength);
}
