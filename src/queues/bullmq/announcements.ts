import { type Subscription, subscribe } from '../../redis/subscription.ts';
import { groupMessage } from './keys.ts';
import type { LayoutScripts } from './layout-scripts.ts';

/** Told what is said on the channel of a queue; what nobody heard is told as if it had been said. */
export interface AnnouncementListener {
  arrived(shard: number): void;
  groupChanged(): void;
}

export interface AnnouncementParts {
  readonly scripts: LayoutScripts;
  readonly shards: number;
}

/**
 * What publishers and members of the group tell each other, so that nobody has to ask all the time. Nothing depends on
 * its being heard: whoever waits looks by itself now and then.
 */
export class Announcements {
  readonly #parts: AnnouncementParts;
  readonly #listener: AnnouncementListener;
  #subscription: Subscription | undefined;

  constructor(parts: AnnouncementParts, listener: AnnouncementListener) {
    this.#parts = parts;
    this.#listener = listener;
  }

  start(): void {
    const { scripts, shards } = this.#parts;
    this.#subscription = subscribe(scripts.connection.client, scripts.keys.channel, {
      said: (message) => {
        if (message === groupMessage) this.#listener.groupChanged();
        else this.#listener.arrived(Number(message));
      },
      connected: () => {
        this.#listener.groupChanged();
        for (let shard = 0; shard < shards; shard += 1) this.#listener.arrived(shard);
      },
    });
  }

  async close(): Promise<void> {
    await this.#subscription?.close();
  }
}
