import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Acknowledged } from '../checker/model.ts';
import { LedgerReader, readLedger } from '../workload/ledger.ts';
import type { Allowance, Orders, Told } from '../workload/orders.ts';
import type { Story } from '../workload/story.ts';
import { ChaosProcess } from './chaos-process.ts';
import type { Counts } from './counts.ts';

/** How a publisher goes on after a kill, and whether it publishes under a name. */
export interface Character {
  readonly manner: Orders['manner'];
  readonly fences: Orders['fences'];
}

export interface PublishersOptions {
  /** The compiled program. */
  readonly program: string;
  readonly story: Story;
  /** One publisher each. */
  readonly characters: readonly Character[];
  readonly settings: Readonly<Record<string, string>>;
  /** Where the ledgers are kept. */
  readonly directory: string;
  readonly counts: Counts;
}

/** One publisher, over all its lives. */
export class Publisher {
  readonly index: number;
  process: ChaosProcess | undefined;
  isReady = false;
  isDone = false;
  /** It has more to send, and may not until something is acknowledged. */
  isWaiting = false;
  /** Of its share, all lives together. */
  acknowledged = 0;
  readonly ledgers: string[] = [];

  constructor(index: number) {
    this.index = index;
  }
}

/** The publishers of a run, and what they were told. */
export class Publishers {
  readonly all: readonly Publisher[];
  readonly #options: PublishersOptions;
  readonly #readers = new Map<string, LedgerReader>();
  /** By partition the offsets that were acknowledged, those not looked at any more left out. */
  readonly #offsets = new Map<number, number[]>();
  #allowed = 0;

  constructor(options: PublishersOptions) {
    this.#options = options;
    this.all = options.characters.map((_, index) => new Publisher(index));
  }

  start(publisher: Publisher): void {
    const { program, story, characters, settings, directory, counts } = this.#options;
    const { manner = 'repeats', fences = false } = characters[publisher.index] ?? {};
    const life = publisher.ledgers.length + 1;
    const ledger = join(directory, `ledger-${publisher.index}-${life}.ndjson`);
    const earlier = publisher.ledgers.filter((path) => existsSync(path));
    const orders: Orders = {
      story,
      publisher: publisher.index,
      publishers: characters.length,
      manner,
      fences,
      life,
      ledger,
      earlier,
    };
    publisher.ledgers.push(ledger);
    publisher.isReady = false;
    publisher.isWaiting = false;
    const process = new ChaosProcess({
      name: `publisher ${publisher.index}, life ${life}`,
      words: [program],
      environment: { ...settings, CHAOS_ORDERS: JSON.stringify(orders) },
      onOutput: (line) => {
        if (publisher.process === process) note(publisher, JSON.parse(line), counts);
      },
      onError: () => undefined,
    });
    publisher.process = process;
    this.tell(publisher.process);
  }

  /** Those that claim their sessions. */
  get claiming(): readonly Publisher[] {
    return this.#ofManner('claims');
  }

  /** Those that send again what they do not know to be acknowledged. */
  get repeating(): readonly Publisher[] {
    return this.#ofManner('repeats');
  }

  /** How much all of them may have sent. */
  get allowed(): number {
    return this.#allowed;
  }

  /** How much may still be allowed. */
  get left(): number {
    const { sessions, commands } = this.#options.story;
    return sessions * commands - this.#allowed;
  }

  get acknowledged(): number {
    return this.all.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
  }

  /** Lets them send so much more, all together. Throws when the story does not go on for so long. */
  allow(more: number): void {
    if (more > this.left) throw new Error(`the story is too short: ${this.left} commands are left, and ${more} wanted`);
    this.#allowed += more;
    for (const publisher of this.all) this.tell(publisher.process);
  }

  /** True once this publisher has an acknowledgement of all that it may send. */
  hasSent(publisher: Publisher): boolean {
    return publisher.isReady && publisher.acknowledged >= this.#share();
  }

  /** How many acknowledged commands stand behind these positions. */
  beyond(positions: ReadonlyMap<number, number>): number {
    for (const path of this.all.flatMap(({ ledgers }) => ledgers)) {
      const reader = this.#readers.get(path) ?? new LedgerReader(path);
      this.#readers.set(path, reader);
      for (const { partition, offset } of reader.next()) {
        const offsets = this.#offsets.get(partition);
        if (offsets === undefined) this.#offsets.set(partition, [offset]);
        else offsets.push(offset);
      }
    }
    let count = 0;
    for (const [partition, offsets] of this.#offsets) {
      const left = offsets.filter((offset) => offset >= (positions.get(partition) ?? 0));
      this.#offsets.set(partition, left);
      count += left.length;
    }
    return count;
  }

  /** Everything that was ever acknowledged. */
  ledgered(): readonly Acknowledged[] {
    return this.all.flatMap(({ ledgers }) => ledgers).flatMap(readLedger);
  }

  async killAll(): Promise<void> {
    await Promise.all(this.all.map(({ process }) => process?.kill()));
  }

  #ofManner(manner: Character['manner']): readonly Publisher[] {
    return this.all.filter(({ index }) => this.#options.characters[index]?.manner === manner);
  }

  #share(): number {
    return Math.ceil(this.#allowed / this.all.length);
  }

  /** Tells a process how much it may send. */
  tell(process: ChaosProcess | undefined): void {
    const allowance: Allowance = { allow: this.#share() };
    process?.say(JSON.stringify(allowance));
  }
}

function note(publisher: Publisher, told: Told, { refused }: Counts): void {
  if (told.told === 'waits') {
    publisher.isWaiting = true;
    return;
  }
  if (told.told === 'refused') {
    refused.set(told.code, (refused.get(told.code) ?? 0) + 1);
    return;
  }
  publisher.isReady = true;
  publisher.isWaiting = false;
  publisher.isDone = told.told === 'done';
  publisher.acknowledged = told.count;
}
