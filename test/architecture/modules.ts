import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { type Comment, parseSync } from 'oxc-parser';

/** A node of the syntax tree (ESTree with TypeScript's nodes), as loosely as a walk needs it. */
export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

/** One mention of another module: import, re-export, dynamic import, or `import('…')` as a type. */
interface Mention {
  /** What stands in the quotes; undefined when it is computed. */
  readonly specifier: string | undefined;
  readonly typeOnly: boolean;
  /** Imported names of a static import. */
  readonly names: readonly string[];
  /** Path of the module meant, relative to the tree's root, where the specifier is relative and the file exists. */
  readonly target: string | undefined;
}

export interface Module {
  /** Relative to the tree's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly lines: number;
  readonly program: SyntaxNode;
  readonly comments: readonly Comment[];
  readonly mentions: readonly Mention[];
}

/** Reads and parses every `.ts` file below the given folders of `root`. Throws on a file that does not parse. */
export function readModules(root: string, folders: readonly string[]): readonly Module[] {
  return folders
    .map((folder) => join(root, folder))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)))
    .filter((path) => /\.[cm]?[jt]sx?$/.test(path))
    .map((path) => readModule(root, relative(root, path)))
    .sort((one, other) => (one.path < other.path ? -1 : 1));
}

function readModule(root: string, path: string): Module {
  const text = readFileSync(join(root, path), 'utf8');
  const { program, errors, comments } = parseSync(path, text);
  if (errors.length > 0) throw new SyntaxError(`${path}: ${errors.map((error) => error.message).join('; ')}`);
  const tree = program as unknown as SyntaxNode;
  return {
    path,
    text,
    lines: text.split('\n').length - 1,
    program: tree,
    comments,
    mentions: [...walk(tree)].flatMap(({ node }) => mentionOf(root, path, node)),
  };
}

export interface Visit {
  readonly node: SyntaxNode;
  readonly parent: SyntaxNode | undefined;
  /** The name under which the parent holds the node. */
  readonly key: string;
}

/** Every node below and including `node`; does not enter those that `enter` refuses. */
export function* walk(
  node: SyntaxNode,
  enter: (node: SyntaxNode) => boolean = () => true,
  parent: SyntaxNode | undefined = undefined,
  key = '',
): Generator<Visit> {
  yield { node, parent, key };
  if (!enter(node)) return;
  for (const [name, value] of Object.entries(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (isNode(child)) yield* walk(child, enter, node, name);
    }
  }
}

export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

function mentionOf(root: string, path: string, node: SyntaxNode): readonly Mention[] {
  const source = sourceOf(node);
  if (source === undefined) return [];
  const specifier = isNode(source) && typeof source['value'] === 'string' ? source['value'] : undefined;
  const specifiers = Array.isArray(node['specifiers']) ? node['specifiers'].filter(isNode) : [];
  return [
    {
      specifier,
      typeOnly:
        node.type === 'TSImportType' ||
        node['importKind'] === 'type' ||
        node['exportKind'] === 'type' ||
        (specifiers.length > 0 && specifiers.every((one) => one['importKind'] === 'type')),
      names: specifiers.map(importedName),
      target: specifier === undefined ? undefined : targetOf(root, path, specifier),
    },
  ];
}

/** The node that names the other module: a literal, or a computed expression; undefined where none is mentioned. */
function sourceOf(node: SyntaxNode): SyntaxNode | undefined {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration':
    case 'ImportExpression':
    case 'TSImportType':
      return isNode(node['source']) ? node['source'] : undefined;
    case 'TSExternalModuleReference':
      return isNode(node['expression']) ? node['expression'] : undefined;
    case 'CallExpression': {
      const called = node['callee'];
      const [first] = Array.isArray(node['arguments']) ? node['arguments'] : [];
      const requires = isNode(called) && called.type === 'Identifier' && called['name'] === 'require';
      return requires && isNode(first) ? first : undefined;
    }
    default:
      return undefined;
  }
}

function importedName(specifier: SyntaxNode): string {
  const imported = specifier['imported'];
  return isNode(imported) && typeof imported['name'] === 'string' ? imported['name'] : '*';
}

function targetOf(root: string, path: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  const target = join(dirname(path), specifier);
  return existsSync(join(root, target)) ? target : undefined;
}
