import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type AclEntry, AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } from 'kafkajs';
import { root } from '../../scripts/project.mjs';
import { asAdmin } from './kafka.ts';

/** One operation that a role has to be allowed, as docs/secure-kafka.md says. */
export interface Grant {
  readonly type: string;
  /** `TOPIC` or `NEW`, with what may go on from it, `GROUP` or `ID`. */
  readonly name: string;
  readonly operation: string;
}

/** A role of docs/secure-kafka.md. */
export interface Role {
  readonly own: readonly Grant[];
  /** What it has to be allowed besides: the grants of another role. */
  readonly besides: readonly Grant[];
}

/** The roles of the table in docs/secure-kafka.md. */
export function documentedRoles(): ReadonlyMap<string, Role> {
  const roles = new Map<string, Role>();
  const document = readFileSync(join(root, 'docs/secure-kafka.md'), 'utf8');
  for (const [, said = '', type = '', name = '', list = ''] of document.matchAll(
    /^\| ([a-z, ]+) \|[^|]*\| ([a-z ]+) `([A-Za-z.-]+)` \| ([A-Za-z, ]+) \|$/gm,
  )) {
    const [role = '', other] = said.split(', besides ');
    const { own = [], besides = other === undefined ? [] : (roles.get(other)?.own ?? []) } = roles.get(role) ?? {};
    const grants = list.split(', ').map((operation) => ({ type, name, operation }));
    roles.set(role, { own: [...own, ...grants], besides });
  }
  return roles;
}

/** What an operation allows as well. */
const implied: ReadonlyMap<string, string> = new Map([
  ['Read', 'Describe'],
  ['Write', 'Describe'],
  ['AlterConfigs', 'DescribeConfigs'],
]);

/**
 * The grants of a role but one. Where that one allowed to describe as well, describing stays allowed: else that would
 * be what is missed first.
 */
export function without({ own, besides }: Role, left: Grant): readonly Grant[] {
  const rest = [...besides, ...own].filter((grant) => grant !== left);
  const operation = implied.get(left.operation);
  const isThere = rest.some((grant) => grant.name === left.name && grant.operation === operation);
  return operation === undefined || isThere ? rest : [...rest, { ...left, operation }];
}

/** What the names in grants stand for. */
export type Named = Readonly<Record<'TOPIC' | 'NEW' | 'GROUP' | 'ID', string>>;

/** Allows users what is granted to them. Resolves once the broker, a single one, knows all of it. */
export async function allow(
  address: string,
  users: Iterable<{ readonly user: string; readonly grants: readonly Grant[]; readonly named: Named }>,
): Promise<void> {
  const acl = [...users].flatMap(({ user, grants, named }) => grants.map((grant) => entryOf(user, grant, named)));
  await asAdmin(address, async (admin) => {
    await admin.createAcls({ acl });
    const any = { resourceType: AclResourceTypes.ANY, resourcePatternType: ResourcePatternTypes.ANY };
    const filter = { ...any, operation: AclOperationTypes.ANY, permissionType: AclPermissionTypes.ANY };
    const known = async (): Promise<number> => {
      const { resources } = await admin.describeAcls(filter);
      return resources.reduce((sum, { acls }) => sum + acls.length, 0);
    };
    while ((await known()) < acl.length) await wait(10);
  });
}

const types: ReadonlyMap<string, AclResourceTypes> = new Map([
  ['topic', AclResourceTypes.TOPIC],
  ['group', AclResourceTypes.GROUP],
  ['transactional id', AclResourceTypes.TRANSACTIONAL_ID],
]);

const operations: ReadonlyMap<string, AclOperationTypes> = new Map([
  ['Read', AclOperationTypes.READ],
  ['Write', AclOperationTypes.WRITE],
  ['Create', AclOperationTypes.CREATE],
  ['Describe', AclOperationTypes.DESCRIBE],
  ['DescribeConfigs', AclOperationTypes.DESCRIBE_CONFIGS],
  ['AlterConfigs', AclOperationTypes.ALTER_CONFIGS],
]);

function entryOf(user: string, { type, name, operation }: Grant, named: Named): AclEntry {
  const resourceType = types.get(type);
  const allowed = operations.get(operation);
  if (resourceType === undefined || allowed === undefined) throw new TypeError(`no ACL: ${operation} on ${type}`);
  return {
    resourceType,
    resourceName: nameOf(name, named),
    resourcePatternType: ResourcePatternTypes.LITERAL,
    principal: `User:${user}`,
    host: '*',
    operation: allowed,
    permissionType: AclPermissionTypes.ALLOW,
  };
}

/** The name of a grant with what it stands for. */
export function nameOf(name: string, named: Named): string {
  return name.replace(/^(TOPIC|NEW|GROUP|ID)/, (word) => named[word as keyof Named]);
}
