import { ambientUse, importTimeEffects, turnUse } from './effects.ts';
import { layerOf, layerOfModule, layers, unitOf } from './layers.ts';
import { type Module, walk } from './modules.ts';

/** A rule finds what breaks it: one line each, beginning with the module's path. */
export interface Rule {
  readonly name: string;
  find(modules: readonly Module[], dependencies: ReadonlySet<string>): readonly string[];
}

const mostLines = 300;
const bannedName = /utils?\b|manager|helper/i;
const wordBreak = /([a-z])([A-Z])/g;
// Control characters in patterns are what some rules of the contract are about; nothing else may be silenced.
const escapeComments =
  /@ts-(ignore|expect-error|nocheck)|biome-ignore(?! lint\/suspicious\/noControlCharactersInRegex:)/;
/** Where a program starts: the only modules that do something when they are loaded. */
const entries = /^(src\/cli\/main\.ts|workers\/[^/]+\.ts)$/;

const perModule = (check: (module: Module, dependencies: ReadonlySet<string>) => readonly string[]): Rule['find'] => {
  return (modules, dependencies) =>
    modules.flatMap((module) => check(module, dependencies).map((problem) => `${module.path}: ${problem}`));
};

export const rules: readonly Rule[] = [
  {
    name: 'every module has its place in a layer',
    find: perModule((module) => (layerOfModule(module) === undefined ? [`no layer ${layerOf(module.path)}`] : [])),
  },
  {
    name: 'every import can be followed',
    find: perModule(({ mentions }) =>
      mentions.flatMap(({ specifier, target }) => {
        if (specifier === undefined) return ['imports what only running it tells'];
        return specifier.startsWith('.') && target === undefined ? [`no file ${specifier}`] : [];
      }),
    ),
  },
  { name: 'arrows point inwards', find: perModule(outwardArrows) },
  { name: 'only what a layer may use of Node and of packages', find: perModule(foreignImports) },
  {
    name: 'the core asks for time, randomness, environment and network, and takes none itself',
    find: perModule((module) => {
      const ambient = layerOfModule(module)?.ambient;
      if (ambient === 'everything') return [];
      return [...ambientUse(module.program), ...(ambient === 'nothing' ? turnUse(module.program) : [])];
    }),
  },
  {
    name: 'loading a module does nothing',
    find: perModule((module) => (entries.test(module.path) ? [] : importTimeEffects(module))),
  },
  { name: 'no import cycles', find: cycles },
  {
    name: 'types are not escaped from',
    find: perModule(({ program, comments }) => [
      ...[...walk(program)].flatMap(({ node }) => typeEscape(node.type, node['typeAnnotation'])),
      ...comments
        .filter(({ value }) => escapeComments.test(value))
        .map(({ value }) => `silences a tool: ${value.trim()}`),
    ]),
  },
  {
    name: `no file is longer than ${mostLines} lines`,
    find: perModule(({ lines }) => (lines > mostLines ? [`${lines} lines`] : [])),
  },
  {
    name: 'names say what a thing is',
    find: perModule(({ path, program }) => {
      const names = [path, ...[...walk(program)].flatMap(({ node }) => declaredNames(node))];
      return names.filter((name) => bannedName.test(name.replace(wordBreak, '$1 $2'))).map((name) => `named ${name}`);
    }),
  },
];

function outwardArrows(module: Module): readonly string[] {
  const here = layerOf(module.path);
  return module.mentions.flatMap(({ target }) => {
    if (target === undefined || unitOf(target) === unitOf(module.path)) return [];
    const there = layerOf(target);
    const allowed = here !== there && (layers[here]?.reaches.includes(there) ?? false);
    return allowed ? [] : [`${here} must not reach ${unitOf(target)}: ${target}`];
  });
}

function foreignImports(module: Module, dependencies: ReadonlySet<string>): readonly string[] {
  const layer = layerOfModule(module);
  return module.mentions.flatMap(({ specifier, names }) => {
    if (specifier === undefined || specifier.startsWith('.')) return [];
    if (specifier.startsWith('node:'))
      return isAllowed(layer?.builtins, specifier, names) ? [] : [`imports ${specifier}`];
    if (layer?.packages === false) return [`imports the package ${specifier}`];
    return dependencies.has(packageOf(specifier)) ? [] : [`${specifier} is not among the dependencies`];
  });
}

function isAllowed(builtins: readonly string[] | undefined, specifier: string, names: readonly string[]): boolean {
  if (builtins === undefined || builtins.includes(specifier)) return true;
  return names.length > 0 && names.every((name) => builtins.includes(`${specifier}#${name}`));
}

function packageOf(specifier: string): string {
  const [scope = '', name] = specifier.split('/');
  return scope.startsWith('@') ? `${scope}/${name}` : scope;
}

function typeEscape(type: string, annotation: unknown): readonly string[] {
  if (type === 'TSAnyKeyword') return ['any'];
  if (type === 'TSNonNullExpression') return ['!'];
  if (type !== 'TSAsExpression' && type !== 'TSTypeAssertion') return [];
  const target = (annotation as { readonly type: string }).type;
  if (target === 'TSNeverKeyword') return ['as never'];
  return [];
}

const declarations = new Set([
  'FunctionDeclaration',
  'ClassDeclaration',
  'VariableDeclarator',
  'TSInterfaceDeclaration',
  'TSTypeAliasDeclaration',
]);

function declaredNames(node: { readonly type: string; readonly [key: string]: unknown }): readonly string[] {
  if (!declarations.has(node.type)) return [];
  const id = node['id'] as { readonly name?: unknown } | null;
  return typeof id?.name === 'string' ? [id.name] : [];
}

/** Each cycle once, named by its first module (Tarjan's strongly connected components). */
function cycles(modules: readonly Module[]): readonly string[] {
  const byPath = new Map(modules.map((module) => [module.path, module]));
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const found: string[] = [];

  const visit = (path: string): number => {
    const number = order.size;
    order.set(path, number);
    lowest.set(path, number);
    stack.push(path);
    for (const { target } of byPath.get(path)?.mentions ?? []) {
      if (target === undefined || !byPath.has(target)) continue;
      if (target === path) found.push(`${path}: imports itself`);
      const reached = order.has(target) ? (stack.includes(target) ? order.get(target) : undefined) : visit(target);
      lowest.set(path, Math.min(lowest.get(path) ?? number, reached ?? number));
    }
    if (lowest.get(path) === number) {
      const circle = stack.splice(stack.indexOf(path));
      if (circle.length > 1) found.push(`${path}: imports in a circle: ${circle.join(' -> ')}`);
    }
    return lowest.get(path) ?? number;
  };

  for (const { path } of modules) if (!order.has(path)) visit(path);
  return found;
}
