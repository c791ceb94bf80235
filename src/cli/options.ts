import { storeUrlProblem } from '../compose/store-url.ts';
/** What is wrong with the text of a whole number from 0 to 2^53-1, or undefined. */
export function wholeNumberProblem(text: string): string | undefined {
  return /^[0-9]{1,16}$/.test(text) && Number.isSafeInteger(Number(text))
    ? undefined
    : 'is not a whole number from 0 on';
}

/** What is wrong with the text of a whole number from 1 to 2^53-1, or undefined. */
export function numberFromOneProblem(text: string): string | undefined {
  return wholeNumberProblem(text) === undefined && Number(text) > 0 ? undefined : 'is not a whole number from 1 on';
}

/** What is wrong with a text that people have to be able to read, or undefined. */
export function textProblem(text: string): string | undefined {
  return text.trim() === '' ? 'says nothing' : undefined;
}

/** The value of an option that was checked to be a whole number; undefined when it is not given. */
export function wholeNumber(options: ReadonlyMap<string, string>, name: string): number | undefined {
  const text = options.get(name);
  return text === undefined ? undefined : Number(text);
}

/** What is wrong with the URL of a store, or undefined. */
export function checkStoreUrl(text: string): string | undefined {
  const problem = storeUrlProblem(text);
  return problem === undefined ? undefined : `names no store: ${problem}`;
}
