import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { type ParseResult, parseSync, Visitor } from 'oxc-parser';

/** A place in a text, and what is put there. */
interface Insertion {
  readonly at: number;
  readonly text: string;
}

/** What an operand is wrapped in; `stopping-program.ts` says what that does. */
const wrappers = { await: 'macpAwaiting', 'for await': 'macpIterating' } as const;

/**
 * The compiled modules that these import, at once or later, however far, with themselves. All lie under `programs`.
 */
export function importedFrom(programs: string, modules: readonly string[]): ReadonlySet<string> {
  const found = new Set(modules.map((module) => join(programs, module)));
  // Those that are added meanwhile are gone through as well.
  for (const file of found) {
    const text = readFileSync(file, 'utf8');
    const { staticImports, staticExports, dynamicImports } = parse(file, text).module;
    const requests = [
      ...staticImports.map(({ moduleRequest }) => moduleRequest.value),
      ...staticExports.flatMap(({ entries }) => entries.map(({ moduleRequest }) => moduleRequest?.value ?? '')),
      ...dynamicImports.map(({ moduleRequest }) => text.slice(moduleRequest.start + 1, moduleRequest.end - 1)),
    ];
    for (const request of requests) if (/^\..*\.js$/.test(request)) found.add(join(dirname(file), request));
  }
  return found;
}

/**
 * Rewrites compiled modules so that they call {@link wrappers} at every `await` and `for await`; nothing else about them
 * changes. Returns by module what its awaits are called: the module and the text that is awaited, numbered where the
 * same stands there again.
 */
export function instrumentAwaits(
  programs: string,
  modules: ReadonlySet<string>,
): ReadonlyMap<string, readonly string[]> {
  return new Map([...modules].map((file) => [file, instrument(programs, file)]));
}

function parse(file: string, text: string): ParseResult {
  const result = parseSync(file, text);
  if (result.errors.length > 0) throw new Error(`${file} cannot be parsed: ${result.errors[0]?.message}`);
  return result;
}

function instrument(programs: string, file: string): readonly string[] {
  const text = readFileSync(file, 'utf8');
  const { program } = parse(file, text);
  const module = relative(programs, file)
    .replace(/^src\//, '')
    .replace(/\.js$/, '');
  const names: string[] = [];
  const insertions: Insertion[] = [];
  const wrap = (
    kind: keyof typeof wrappers,
    { start, end }: { readonly start: number; readonly end: number },
  ): void => {
    const said = `${module}: ${kind} ${text.slice(start, end).replaceAll(/\s+/g, ' ').slice(0, 90)}`;
    const before = names.filter((name) => name === said || name.startsWith(`${said} #`)).length;
    const name = before === 0 ? said : `${said} #${before + 1}`;
    names.push(name);
    insertions.push({ at: start, text: `${wrappers[kind]}(${JSON.stringify(name)}, ` }, { at: end, text: ')' });
  };
  new Visitor({
    AwaitExpression: ({ argument }) => wrap('await', argument),
    ForOfStatement: (loop) => {
      if (loop.await) wrap('for await', loop.right);
    },
    VariableDeclaration: ({ kind }) => {
      if (kind === 'await using') throw new Error(`${file}: what \`await using\` awaits does not show`);
    },
  }).visit(program);
  writeFileSync(file, withInsertions(text, insertions));
  return names;
}

/** From the last one to the first, so that places stay what they are. */
function withInsertions(text: string, insertions: readonly Insertion[]): string {
  let rest = text;
  for (const { at, text: inserted } of insertions.toSorted((one, other) => other.at - one.at)) {
    rest = `${rest.slice(0, at)}${inserted}${rest.slice(at)}`;
  }
  return rest;
}
