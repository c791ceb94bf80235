/** What is wrong with the text of a whole number from 0 to 2^53-1, or undefined. */
export function wholeNumberProblem(text: string): string | undefined {
  return /^[0-9]{1,16}$/.test(text) && Number.isSafeInteger(Number(text))
    ? undefined
    : 'is not a whole number from 0 on';
}

/** The value of an option that was checked to be a whole number; undefined when it is not given. */
export function wholeNumber(options: ReadonlyMap<string, string>, name: string): number | undefined {
  const text = options.get(name);
  return text === undefined ? undefined : Number(text);
}
