// Control and format characters, line and paragraph separators, lone surrogates: what a terminal may act on, or what
// shows differently from what it is.
const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

/**
 * `text` for a line of plain output: as it stands where that is safe and cannot be misread, else as a JSON string
 * with everything unsafe escaped. {@link readText} reads both.
 */
export function printText(text: string): string {
  if (text !== '' && !text.startsWith('"') && !unsafe.test(text) && text.trim() === text) return text;
  return printSentence(JSON.stringify(text));
}

/** A sentence, which nobody reads back, with everything unsafe in it escaped. */
export function printSentence(text: string): string {
  return text.replace(new RegExp(unsafe.source, 'gu'), escaped);
}

/** The text that {@link printText} printed: what begins with a quotation mark is read as a JSON string. */
export function readText(printed: string): string {
  if (!printed.startsWith('"')) return printed;
  try {
    const text: unknown = JSON.parse(printed);
    return typeof text === 'string' ? text : printed;
  } catch {
    return printed;
  }
}

function escaped(character: string): string {
  return Array.from({ length: character.length }, (_, index) => character.charCodeAt(index))
    .map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`)
    .join('');
}
