import { isNode, type Module, type SyntaxNode, type Visit, walk } from './modules.ts';

/** Globals through which a module looks at, or acts on, the world around it. */
const ambientGlobals = new Set([
  'process',
  'console',
  'fetch',
  'setTimeout',
  'setInterval',
  'performance',
  'globalThis',
  'crypto',
  'navigator',
  'require',
]);
/** Globals that wait for a turn of the event loop: they decide when, never what. */
const turnGlobals = new Set(['setImmediate', 'clearImmediate', 'queueMicrotask']);
/** Named exports of node:crypto that compute from their arguments alone. */
const pureCrypto = new Set(['hash', 'createHash', 'timingSafeEqual']);

/** Every use of clock, randomness, timers, environment, console or network in `program`. */
export function ambientUse(program: SyntaxNode): readonly string[] {
  return [...walk(program)].flatMap(ambientUseAt);
}

/** Every wait for a turn of the event loop in `program`. */
export function turnUse(program: SyntaxNode): readonly string[] {
  return [...walk(program)].flatMap((visit) => globalUse(visit, turnGlobals));
}

function ambientUseAt({ node, parent, key }: Visit): readonly string[] {
  if (node.type === 'ImportDeclaration') return impureCrypto(node);
  if (node.type === 'NewExpression' && nameOf(node['callee']) === 'Date' && isEmpty(node['arguments'])) {
    return ['uses new Date()'];
  }
  if (node.type === 'CallExpression' && nameOf(node['callee']) === 'Date') return ['uses Date()'];
  if (node.type === 'MemberExpression') {
    const member = `${nameOf(node['object'])}.${nameOf(node['property'])}`;
    return member === 'Date.now' || member === 'Math.random' ? [`uses ${member}`] : [];
  }
  return globalUse({ node, parent, key }, ambientGlobals);
}

function globalUse({ node, parent, key }: Visit, globals: ReadonlySet<string>): readonly string[] {
  const name = nameOf(node);
  return name !== undefined && globals.has(name) && !isOnlyAName(parent, key) ? [`uses ${name}`] : [];
}

function impureCrypto(declaration: SyntaxNode): readonly string[] {
  const { source, specifiers } = declaration;
  if (!isNode(source) || source['value'] !== 'node:crypto' || !Array.isArray(specifiers)) return [];
  return specifiers
    .filter(isNode)
    .map((specifier) => nameOf(specifier['imported']) ?? '*')
    .filter((name) => !pureCrypto.has(name))
    .map((name) => `uses ${name} of node:crypto`);
}

/** True where an identifier names a member, a key or a type and so stands for no variable. */
function isOnlyAName(parent: SyntaxNode | undefined, key: string): boolean {
  if (parent === undefined) return false;
  if (parent.type.startsWith('TS') && parent.type !== 'TSTypeQuery') return !expressionHolders.has(parent.type);
  if (parent.type === 'MemberExpression') return key === 'property' && parent['computed'] === false;
  const keyed = ['Property', 'PropertyDefinition', 'MethodDefinition', 'AccessorProperty'].includes(parent.type);
  return keyed && key === 'key' && parent['computed'] === false && parent['shorthand'] !== true;
}

const expressionHolders = new Set([
  'TSAsExpression',
  'TSSatisfiesExpression',
  'TSNonNullExpression',
  'TSTypeAssertion',
]);

const quietStatements = new Set([
  'ImportDeclaration',
  'ExportAllDeclaration',
  'FunctionDeclaration',
  'ClassDeclaration',
  'TSInterfaceDeclaration',
  'TSTypeAliasDeclaration',
  'TSDeclareFunction',
]);
const laterNodes = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);
const pureBuiltins = new Set(['node:buffer', 'node:crypto', 'node:path', 'node:url', 'node:util']);

/** What a module does while it is loaded, beyond naming things: statements, changeable state, effects in constants. */
export function importTimeEffects({ program }: Module): readonly string[] {
  const body = Array.isArray(program['body']) ? program['body'].filter(isNode) : [];
  const outsideWorld = new Set(body.flatMap(impureNames));
  return body.flatMap((statement) => statementEffects(statement, outsideWorld));
}

function statementEffects(statement: SyntaxNode, outsideWorld: ReadonlySet<string>): readonly string[] {
  if (statement.type === 'ImportDeclaration') return isEmpty(statement['specifiers']) ? bareImport(statement) : [];
  if (statement.type === 'ExportNamedDeclaration' || statement.type === 'ExportDefaultDeclaration') {
    const declaration = statement['declaration'];
    return isNode(declaration) ? statementEffects(declaration, outsideWorld) : [];
  }
  if (statement.type === 'VariableDeclaration' && statement['kind'] !== 'const' && statement['declare'] !== true) {
    return [`keeps changeable state in a module: ${statement['kind']}`];
  }
  if (!quietStatements.has(statement.type) && statement.type !== 'VariableDeclaration') {
    return [`runs a statement while it is loaded: ${statement.type}`];
  }
  const evaluated = [...walk(statement, (node) => !runsLater(node))];
  return evaluated.flatMap((visit) => {
    if (visit.node.type === 'AwaitExpression') return ['waits while it is loaded'];
    const called = visit.node.type === 'CallExpression' ? rootOf(visit.node['callee']) : undefined;
    if (called !== undefined && outsideWorld.has(called)) return [`calls ${called} while it is loaded`];
    return ambientUseAt(visit).map((use) => `${use} while it is loaded`);
  });
}

function bareImport(declaration: SyntaxNode): readonly string[] {
  return declaration['importKind'] === 'type' ? [] : ['imports something only for what loading it does'];
}

/** Functions run later, and so do the methods and the instance fields of a class. */
function runsLater(node: SyntaxNode): boolean {
  return laterNodes.has(node.type) || (node.type === 'PropertyDefinition' && node['static'] === false);
}

/** Local names that an import declaration takes from those of Node's modules that act on the world. */
function impureNames(statement: SyntaxNode): readonly string[] {
  const { source, specifiers } = statement;
  if (statement.type !== 'ImportDeclaration' || !isNode(source) || !Array.isArray(specifiers)) return [];
  const from = String(source['value']);
  if (!from.startsWith('node:') || pureBuiltins.has(from)) return [];
  return specifiers.filter(isNode).flatMap((specifier) => nameOf(specifier['local']) ?? []);
}

/** `a` of `a.b.c`. */
function rootOf(expression: unknown): string | undefined {
  let at = expression;
  while (isNode(at) && at.type === 'MemberExpression') at = at['object'];
  return nameOf(at);
}

function nameOf(node: unknown): string | undefined {
  return isNode(node) && node.type === 'Identifier' && typeof node['name'] === 'string' ? node['name'] : undefined;
}

function isEmpty(list: unknown): boolean {
  return Array.isArray(list) && list.length === 0;
}
