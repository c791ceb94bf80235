import { showAddress } from '../configuration/addresses.ts';
import type { Values } from '../configuration/settings.ts';
import { digestHex } from '../domain/digest.ts';
import { PersistenceError } from '../domain/errors.ts';
import { type Comparison, type ComparisonOptions, compareStores } from '../verify/compare-stores.ts';
import { type Examination, type ExaminationOptions, examineStore } from '../verify/examine-store.ts';
import { storeAt } from './store-url.ts';
import { openSide } from './verify-side.ts';

export type { Difference } from '../verify/difference.ts';
export type { Examination } from '../verify/examine-store.ts';
export type { Finding } from '../verify/finding.ts';

/** What verifying goes through, and what is counted meanwhile. */
export type VerifyPhase = 'replaying records' | 'replaying bytes' | 'comparing' | 'examining';

export interface VerifyListener {
  /** A phase begins; `total`: about how many there are; undefined where nobody knows. */
  onPhase(phase: VerifyPhase, total: number | undefined): void;
  onProgress(done: number): void;
  onRemark(text: string): void;
}

export interface VerifyRequest extends VerifyListener, Pick<ComparisonOptions, 'signal' | 'onDifference'> {
  readonly values: Values;
}

export interface DeepRequest extends VerifyListener, Pick<ExaminationOptions, 'signal' | 'onFinding'> {
  readonly values: Values;
}

/** What a comparison came to, as both sides are named to people. */
export interface VerifyReport extends Omit<Comparison, 'digests'> {
  readonly first: ComparedSide;
  readonly second: ComparedSide;
  /** Records of a source that the store has not consumed yet; undefined between two stores. */
  readonly unconsumed: number | undefined;
  /** Sessions of which nothing can be said, because they were written to all the time. */
  readonly movingSessions: number;
}

export interface ComparedSide {
  readonly place: string;
  /** Hexadecimal; undefined where it was written to meanwhile. */
  readonly sha256: string | undefined;
}

/** Compares the stores at two URLs; `storeUrlProblem` has found nothing wrong with them. */
export async function verifyStores(
  urls: readonly [first: string, second: string],
  request: VerifyRequest,
): Promise<VerifyReport> {
  const { values, onRemark } = request;
  const [one, other] = [storeAt(urls[0], values), storeAt(urls[1], values)];
  if (showAddress(one) === showAddress(other)) {
    throw new PersistenceError('INVALID_CONFIGURATION', `${showAddress(one)} would be compared with itself`);
  }
  await using first = await openSide(one, values, onRemark);
  await using second = await openSide(other, values, onRemark);
  request.onPhase('comparing', Math.max(await first.source.count(), await second.source.count()));
  const scope = first.scope === 'content' || second.scope === 'content' ? 'content' : 'everything';
  const compared = { first: first.source, second: second.source, scope } as const;
  const { digests, ...counts } = await compareStores(compared, request);
  return {
    ...counts,
    first: { place: showAddress(one), sha256: digestHex(digests.first) },
    second: { place: showAddress(other), sha256: digestHex(digests.second) },
    unconsumed: undefined,
    movingSessions: 0,
  };
}

/** Looks whether the store at a URL is right in itself; `storeUrlProblem` has found nothing wrong with it. */
export async function verifyDeep(url: string, request: DeepRequest): Promise<Examination> {
  const { values, onRemark } = request;
  await using side = await openSide(storeAt(url, values), values, onRemark);
  request.onPhase('examining', await side.source.count());
  return await examineStore(side.source, {
    ...request,
    // Other processes may go on with one that is shared, and with its totals.
    totals: side.store?.capabilities.shared === false ? await side.store.readTotals() : undefined,
  });
}
