import { bareRates } from '../support/bare.ts';
import { ratesOf, ratios, slower, tellRates, tellRatio } from '../support/contest.ts';
import { tellPeak } from '../support/footprint.ts';
import { contestOverTopic, nothingDone } from '../support/topic-contest.ts';

const sessions = 5_000;
const limitMebibytes = 350;

const ours = 'Kafka -> pipeline -> level store';
const ordinary = 'kafkajs eachMessage, parse, synced put';

/**
 * A backlog in a topic of 8 partitions, persisted into the level store, every commit synced; beside what kafkajs
 * delivers when nothing is done with it, the bare synced batches of the same entries into classic-level, with the broker
 * up, and the loop that one would write first. Each in a process of its own.
 */
export async function persistFromKafka(commands: number, rounds: number): Promise<boolean> {
  const { result, peak } = await contestOverTopic({
    topic: 'backlog',
    commands,
    sessions,
    rounds,
    ours: { name: ours, how: 'worker' },
    others: ({ contestant }) => [contestant(ordinary, 'ordinary')],
  });
  tellRates(`Persisting ${commands} commands of ${sessions} sessions from Kafka`, 'entries', result);
  const rates = ratesOf(result, ours);
  const nothing = ratesOf(result, nothingDone);
  const bare = bareRates(result);
  const isFast = tellRatio('to the slower of kafkajs and the bare store', ratios(rates, slower(nothing, bare)), 0.8);
  const isFaster = tellRatio('to the ordinary loop', ratios(rates, ratesOf(result, ordinary)), 50);
  tellRatio('to kafkajs alone', ratios(rates, nothing));
  tellRatio('to the bare store alone', ratios(rates, bare));
  const isSmall = tellPeak(peak, limitMebibytes);
  return isFast && isFaster && isSmall;
}
