import type { Writable } from 'node:stream';
import { type Options, SingleBar } from 'cli-progress';
import type { Clock } from '../ports/clock.ts';

/** How progress is told: drawn and drawn over, written as lines of text, or as JSON lines. */
export type ProgressStyle = 'bar' | 'lines' | 'json';

/** How far a long work is. Call `end` when it is over, however it ended. */
export interface Progress extends Disposable {
  /** Tells that so much of the work is done by now. */
  update(done: number): void;
  /** Lets `say` write lines of its own to the same stream. */
  aside(say: () => void): void;
  end(): void;
}

export interface ProgressOptions {
  readonly stream: Writable;
  readonly style: ProgressStyle;
  readonly clock: Clock;
  /** What is counted, in the plural. */
  readonly unit: string;
  /** How many there are of them; undefined where nobody knows. */
  readonly total: number | undefined;
}

/** What can be said of the work so far. */
export interface Pace {
  readonly done: number;
  readonly total: number | undefined;
  /** How many a second, over the whole of the work. */
  readonly perSecond: number;
  /** Undefined before the first is done, and where the total is not known. */
  readonly secondsLeft: number | undefined;
}

/** Milliseconds between two lines. */
const lineInterval = 10_000;

/** A terminal shows a bar, unless it is a build server's; everything else gets lines. */
export function progressStyle(
  stream: object,
  asJson: boolean,
  environment: { readonly CI?: string | undefined },
): ProgressStyle {
  if (asJson) return 'json';
  const isTerminal = 'isTTY' in stream && stream.isTTY === true;
  return isTerminal && (environment.CI ?? '') === '' ? 'bar' : 'lines';
}

export function startProgress(options: ProgressOptions): Progress {
  const progress = options.style === 'bar' ? bar(options) : lines(options);
  return { ...progress, [Symbol.dispose]: progress.end };
}

export function paceOf(done: number, total: number | undefined, milliseconds: number): Pace {
  const perSecond = milliseconds > 0 ? (done * 1000) / milliseconds : 0;
  const isKnown = total !== undefined && perSecond > 0;
  return { done, total, perSecond, secondsLeft: isKnown ? Math.max(0, total - done) / perSecond : undefined };
}

/** The pace as words: `1,200 of 5,000 commands, 400 a second, 10 s left`. */
export function describePace({ done, total, perSecond, secondsLeft }: Pace, unit: string): string {
  const share = total === undefined ? '' : ` of ${total.toLocaleString('en')}`;
  const left = secondsLeft === undefined ? '' : `, ${describeSeconds(secondsLeft)} left`;
  const rate = Math.round(perSecond).toLocaleString('en');
  return `${done.toLocaleString('en')}${share} ${unit}, ${rate} a second${left}`;
}

function describeSeconds(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

function bar({ stream, clock, unit, total }: ProgressOptions): Omit<Progress, typeof Symbol.dispose> {
  const start = clock.elapsed();
  const drawn = new SingleBar({
    stream,
    format: total === undefined ? '{text}' : '{bar} {text}',
    barsize: 30,
    barCompleteChar: '\u2588',
    barIncompleteChar: '\u2591',
    clearOnComplete: true,
    // The program itself decides what a signal means.
    gracefulExit: false,
  } satisfies Options);
  const text = (done: number): string => describePace(paceOf(done, total, clock.elapsed() - start), unit);
  let latest = 0;
  const draw = (): void => drawn.start(total ?? 1, latest, { text: text(latest) });
  draw();
  return {
    update: (done) => {
      latest = done;
      drawn.update(done, { text: text(done) });
    },
    // Only a bar that was taken away leaves the lines in order, and does not go back over them when it ends.
    aside: (say) => {
      drawn.stop();
      say();
      draw();
    },
    end: () => drawn.stop(),
  };
}

function lines({ stream, style, clock, unit, total }: ProgressOptions): Omit<Progress, typeof Symbol.dispose> {
  const start = clock.elapsed();
  let latest = start;
  return {
    update: (done) => {
      const now = clock.elapsed();
      if (now - latest < lineInterval) return;
      latest = now;
      const pace = paceOf(done, total, now - start);
      stream.write(`${style === 'json' ? JSON.stringify(documentOf(pace, unit)) : describePace(pace, unit)}\n`);
    },
    aside: (say) => say(),
    end: () => undefined,
  };
}

function documentOf({ done, total, perSecond, secondsLeft }: Pace, unit: string): object {
  const left = secondsLeft === undefined ? null : Math.ceil(secondsLeft);
  return { progress: { unit, done, total: total ?? null, per_second: Math.round(perSecond), seconds_left: left } };
}
