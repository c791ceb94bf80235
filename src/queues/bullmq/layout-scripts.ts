import type { Argument, Reply } from '../../redis/command.ts';
import type { RedisConnection, Script, ScriptAnswer } from '../../redis/connection.ts';
import { changedLayout } from './guard.ts';
import type { BullmqKeys } from './keys.ts';
import { changedReply } from './scripts/fence.ts';

/** Runs the scripts of a queue as it was when it was opened, each behind the fence; see {@link layoutFence}. */
export class LayoutScripts {
  readonly connection: RedisConnection;
  readonly keys: BullmqKeys;
  readonly #id: string;

  constructor(connection: RedisConnection, keys: BullmqKeys, id: string) {
    this.connection = connection;
    this.keys = keys;
    this.#id = id;
  }

  /** `keys` and `args` follow the guard and the queue's id. Throws `QUEUE_CHANGED` once it has another layout. */
  async run(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<Reply> {
    return (await this.answer(script, keys, args)).reply;
  }

  /** As {@link run}, for whoever has to know which connection answered. */
  async answer(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<ScriptAnswer> {
    const answer = await this.connection.script(script, [this.keys.guard, ...keys], [this.#id, ...args]);
    const { reply } = answer;
    if (reply instanceof Buffer && reply.toString('latin1') === changedReply) throw changedLayout(this.keys);
    return answer;
  }
}
