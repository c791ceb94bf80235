import { contentAfter, type HistoryCommand, type SessionContent } from '../../crash/history.ts';
import type { Complaint, TopicRecord } from './model.ts';

/** What a session must be, going by the topic alone. */
export interface ExpectedSession {
  /** Undefined: nothing of it ever took effect. */
  readonly content: SessionContent | undefined;
  /** Data of the commands that a later writer's claim shut out, each once. */
  readonly deadLetters: readonly string[];
  /** Commands that take effect. */
  readonly commands: number;
}

export interface Expectation {
  readonly sessions: ReadonlyMap<string, ExpectedSession>;
  /** Records that repeat what stands before them. */
  readonly repeated: number;
  readonly claims: number;
  readonly complaints: readonly Complaint[];
}

interface Reign {
  readonly epoch: number;
  readonly writer: string;
  readonly first: number;
  last: number;
}

type Decided = 'taken' | 'claimed' | 'repeated' | 'shut out' | 'out of order' | 'contradicts';

/** One session while its records are gone through in their order. */
class Story {
  readonly commands: HistoryCommand[] = [];
  readonly shutOut = new Map<string, string>();
  readonly #reigns: Reign[] = [];
  #last = 0;

  decide(record: TopicRecord): Decided {
    const reign = this.#reigns.at(-1);
    if (record.sequence === undefined) return this.#claim(record, reign);
    if (reign === undefined && record.sequence === 1) return this.#begin(record);
    if (reign?.epoch !== record.epoch || reign.writer !== record.writer)
      return this.#ofAnother(record, record.sequence);
    if (record.sequence > this.#last + 1) return 'out of order';
    if (record.sequence < reign.first) return 'contradicts';
    if (record.sequence <= this.#last) return this.#isSame(record, record.sequence) ? 'repeated' : 'contradicts';
    return this.#take(record, reign);
  }

  #claim(record: TopicRecord, reign: Reign | undefined): Decided {
    if (this.#reignOf(record) !== undefined) return 'repeated';
    if (record.epoch <= (reign?.epoch ?? 0)) return this.#shutOut(record, 'claim');
    this.#reigns.push({ epoch: record.epoch, writer: record.writer, first: this.#last + 1, last: this.#last });
    return 'claimed';
  }

  #begin(record: TopicRecord): Decided {
    const reign = { epoch: record.epoch, writer: record.writer, first: 1, last: 0 };
    this.#reigns.push(reign);
    return this.#take(record, reign);
  }

  #take({ type, data }: TopicRecord, reign: Reign): Decided {
    this.commands.push({ type, data });
    this.#last += 1;
    reign.last = this.#last;
    return 'taken';
  }

  #ofAnother(record: TopicRecord, sequence: number): Decided {
    const reign = this.#reignOf(record);
    if (reign !== undefined && reign.first <= sequence && sequence <= reign.last) return 'repeated';
    return this.#shutOut(record, sequence);
  }

  #shutOut({ epoch, writer, data }: TopicRecord, sequence: number | 'claim'): Decided {
    const identity = JSON.stringify([epoch, writer, sequence, data]);
    if (this.shutOut.has(identity)) return 'repeated';
    this.shutOut.set(identity, data);
    return 'shut out';
  }

  #reignOf({ epoch, writer }: TopicRecord): Reign | undefined {
    return this.#reigns.find((reign) => reign.epoch === epoch && reign.writer === writer);
  }

  #isSame({ type, data }: TopicRecord, sequence: number): boolean {
    const taken = this.commands[sequence - 1];
    return taken?.type === type && taken.data === data;
  }
}

/**
 * What every session must be, derived from the records of the topic in the order of each partition: the first command
 * of each number in order takes effect, what comes again counts for nothing, a higher epoch's claim shuts out the
 * writer before. Of the rule, it knows what the workload makes use of: a hole in the order, or two commands of one
 * number, is a complaint about the topic.
 */
export function expectationOf(records: Iterable<TopicRecord>): Expectation {
  const stories = new Map<string, Story>();
  const counts: Record<Decided, number> = {
    taken: 0,
    claimed: 0,
    repeated: 0,
    'shut out': 0,
    'out of order': 0,
    contradicts: 0,
  };
  const complaints: Complaint[] = [];
  for (const record of records) {
    const { session, partition, offset, epoch, sequence } = record;
    const story = stories.get(session) ?? new Story();
    stories.set(session, story);
    const decided = story.decide(record);
    counts[decided] += 1;
    if (decided !== 'out of order' && decided !== 'contradicts') continue;
    const text = `record ${partition}:${offset}: command ${sequence} of ${session}, epoch ${epoch}, ${decided}`;
    complaints.push({ wrong: 'topic', count: 1, text });
  }
  const sessions = new Map<string, ExpectedSession>();
  for (const [session, { commands, shutOut }] of stories) {
    const content = contentAfter(commands, commands.length);
    sessions.set(session, { content, deadLetters: [...shutOut.values()], commands: commands.length });
  }
  return { sessions, repeated: counts.repeated, claims: counts.claimed, complaints };
}
