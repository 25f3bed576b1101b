import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Acl,
  AclOperations,
  AclPermissionTypes,
  type Admin,
  ConfigResourceTypes,
  IncrementalAlterConfigOperationTypes,
  ResourcePatternTypes,
  ResourceTypes,
} from '@platformatic/kafka';
import { BusUnavailableError, TopicSpecError } from '@ringfence/bus';
import { planTopics } from './plan.ts';
import type { GroupAdmin } from './topology.ts';
import type { AccessEntry, AclOperation, AclResource, Actual, Change, Desired, Plan, TopicState } from './types.ts';

/** The methods of the admin client that are used here. */
export type TopicAdmin = Pick<
  Admin,
  | 'listTopics'
  | 'metadata'
  | 'describeConfigs'
  | 'describeAcls'
  | 'createTopics'
  | 'incrementalAlterConfigs'
  | 'createAcls'
  | 'deleteAcls'
  | 'describeLogDirs'
> &
  GroupAdmin;

/** The methods for access lists. */
export type AccessLists = Pick<Admin, 'describeAcls' | 'createAcls' | 'deleteAcls'>;

/** Returns the number of brokers. */
export async function brokersOf(admin: TopicAdmin): Promise<number> {
  return (await admin.metadata({ topics: [] })).brokers.size;
}

/** Returns the desired topics that exist, and the whole access list. */
export async function readActual(admin: TopicAdmin, desired: Desired): Promise<Actual> {
  const existing = new Set(await admin.listTopics({ includeInternals: false }));
  const names = desired.topics.map(({ name }) => name).filter((name) => existing.has(name));
  const settings = [...new Set(desired.topics.flatMap((topic) => Object.keys(topic.settings)))];
  return {
    topics: names.length === 0 ? [] : await readTopics(admin, names, settings),
    access: await readAccess(admin),
  };
}

async function readTopics(admin: TopicAdmin, names: string[], settings: readonly string[]): Promise<TopicState[]> {
  const { topics } = await admin.metadata({ topics: names, forceUpdate: true });
  const resources = names.map((resourceName) => ({
    resourceType: ConfigResourceTypes.TOPIC,
    resourceName,
    configurationKeys: [...settings],
  }));
  const described = new Map(
    (await admin.describeConfigs({ resources })).map(({ resourceName, configs }) => [
      resourceName,
      Object.fromEntries(configs.map(({ name, value }) => [name, value ?? ''])),
    ]),
  );
  return names.map((name) => {
    const partitions = Object.values(topics.get(name)?.partitions ?? {});
    // A partition may have more replicas while they are moved, so take the minimum.
    const replicas = Math.min(...partitions.map((partition) => partition.replicas.length));
    return { name, partitions: partitions.length, replicas, settings: described.get(name) ?? {} };
  });
}

const RESOURCES: readonly (readonly [AclResource, Acl['resourceType']])[] = [
  ['topic', ResourceTypes.TOPIC],
  ['group', ResourceTypes.GROUP],
  ['cluster', ResourceTypes.CLUSTER],
  ['transactional-id', ResourceTypes.TRANSACTIONAL_ID],
];
const OPERATIONS: readonly (readonly [AclOperation, Acl['operation']])[] = [
  ['read', AclOperations.READ],
  ['write', AclOperations.WRITE],
  ['describe', AclOperations.DESCRIBE],
  ['create', AclOperations.CREATE],
  ['describe-configs', AclOperations.DESCRIBE_CONFIGS],
  ['alter', AclOperations.ALTER],
  ['all', AclOperations.ALL],
];

const nameOf = <N extends string>(pairs: readonly (readonly [N, number])[], value: number): N | 'other' =>
  pairs.find(([, code]) => code === value)?.[0] ?? 'other';

function codeOf<N extends string, V extends number>(pairs: readonly (readonly [N, V])[], name: string): V {
  const found = pairs.find(([candidate]) => candidate === name);
  if (found === undefined) throw new TypeError(`an access entry of this program must not contain ${name}`);
  return found[1];
}

/** Returns null when the brokers have no authorizer. */
export async function readAccess(admin: Pick<AccessLists, 'describeAcls'>): Promise<AccessEntry[] | null> {
  const filter = {
    resourceType: ResourceTypes.ANY,
    resourceName: null,
    resourcePatternType: ResourcePatternTypes.ANY,
    principal: null,
    host: null,
    operation: AclOperations.ANY,
    permissionType: AclPermissionTypes.ANY,
  };
  try {
    return (await admin.describeAcls({ filter })).flatMap(({ acls, ...target }) =>
      acls.map(({ principal, host, operation, permissionType }) => ({
        principal,
        host,
        resource: nameOf(RESOURCES, target.resourceType),
        name: target.resourceName,
        pattern:
          target.resourcePatternType === ResourcePatternTypes.PREFIXED ? ('prefixed' as const) : ('literal' as const),
        operation: nameOf(OPERATIONS, operation),
        permission: permissionType === AclPermissionTypes.ALLOW ? ('allow' as const) : ('deny' as const),
      })),
    );
  } catch (error) {
    if (hasCode(error, 'SECURITY_DISABLED')) return null;
    throw error;
  }
}

const aclOf = (entry: AccessEntry): Acl => ({
  resourceType: codeOf(RESOURCES, entry.resource),
  resourceName: entry.name,
  resourcePatternType: entry.pattern === 'prefixed' ? ResourcePatternTypes.PREFIXED : ResourcePatternTypes.LITERAL,
  principal: entry.principal,
  host: entry.host,
  operation: codeOf(OPERATIONS, entry.operation),
  permissionType: entry.permission === 'allow' ? AclPermissionTypes.ALLOW : AclPermissionTypes.DENY,
});

/** Returns whether an error, or one of its nested causes, has a broker's error code. */
function hasCode(error: unknown, code: string, depth = 0): boolean {
  if (!(error instanceof Error) || depth > 5) return false;
  const { apiId, errors, cause } = error as Error & { apiId?: unknown; errors?: readonly unknown[] };
  return apiId === code || [...(errors ?? []), cause].some((inner) => hasCode(inner, code, depth + 1));
}

/**
 * Applies a plan, topics first, and calls `onApplied` for each change. Stops at the first refused change; the next plan
 * continues from there. A topic that another process has created in the meantime gets the settings of the plan. Rejects
 * with TopicSpecError when that topic has another number of partitions.
 */
export async function applyPlan(admin: TopicAdmin, plan: Plan, onApplied: (change: Change) => void): Promise<void> {
  const created = plan.changes.filter((change) => change.kind === 'create-topic');
  const found: TopicState[] = [];
  for (const change of created) {
    if (!(await createTopic(admin, change.topic))) found.push(change.topic);
    onApplied(change);
  }
  if (created.length > 0) {
    const names = created.map(({ topic }) => topic.name);
    await waitUntilVisible(names, () => admin.listTopics({ includeInternals: false }));
  }
  const altered = [
    ...plan.changes.filter((change) => change.kind === 'alter-setting'),
    ...(await remainingSettings(admin, found)),
  ];
  for (const [topic, changes] of Map.groupBy(altered, ({ topic }) => topic)) {
    const configs = changes.map(({ setting, to }) => ({
      name: setting,
      configOperation: IncrementalAlterConfigOperationTypes.SET,
      value: to,
    }));
    const resource = { resourceType: ConfigResourceTypes.TOPIC, resourceName: topic, configs };
    await admin.incrementalAlterConfigs({ resources: [resource] });
    changes.forEach(onApplied);
  }
  const entries = plan.changes.filter((change) => change.kind === 'add-access');
  if (entries.length > 0)
    await addEntries(
      admin,
      entries.map(({ entry }) => entry),
    );
  entries.forEach(onApplied);
}

/** Adds access entries. Resolves once the brokers report them. */
export async function addEntries(
  admin: Pick<AccessLists, 'describeAcls' | 'createAcls'>,
  entries: readonly AccessEntry[],
): Promise<void> {
  await admin.createAcls({ creations: entries.map(aclOf) });
  const wanted = entries.map(textOf);
  await waitUntilVisible(wanted, async () => (await readAccess(admin))?.map(textOf) ?? wanted);
}

export const textOf = ({ principal, host, resource, name, pattern, operation, permission }: AccessEntry): string =>
  JSON.stringify([principal, host, resource, name, pattern, operation, permission]);

/**
 * Waits until the brokers report the new entries, because the controller answers earlier. Rejects with
 * BusUnavailableError after 10 s.
 */
async function waitUntilVisible(wanted: readonly string[], list: () => Promise<readonly string[]>): Promise<void> {
  await waitUntil('creating topics and access entries', async () => {
    const visible = new Set(await list());
    return wanted.filter((entry) => !visible.has(entry));
  });
}

/** Waits until `pending` returns nothing. Rejects with BusUnavailableError after 10 s. */
export async function waitUntil(action: string, pending: () => Promise<readonly string[]>): Promise<void> {
  let remaining: readonly string[] = [];
  for (let attempt = 0; attempt < 50; attempt++) {
    remaining = await pending();
    if (remaining.length === 0) return;
    await sleep(200);
  }
  const problem = `after 10 s the brokers do not show the change: ${remaining.slice(0, 3).join(', ')}; try again`;
  throw new BusUnavailableError(action, 'TIMEOUT', problem);
}

/**
 * Returns false when the topic exists: another process may apply the same plan, and the client repeats a request whose
 * answer was late.
 */
async function createTopic(admin: TopicAdmin, { name, partitions, replicas, settings }: TopicState): Promise<boolean> {
  const configs = Object.entries(settings).map(([setting, value]) => ({ name: setting, value }));
  try {
    await admin.createTopics({ topics: [name], partitions, replicas, configs });
    return true;
  } catch (error) {
    if (hasCode(error, 'TOPIC_ALREADY_EXISTS')) return false;
    throw error;
  }
}

/** Returns the setting changes for topics that other processes have created. */
async function remainingSettings(admin: TopicAdmin, desired: readonly TopicState[]) {
  if (desired.length === 0) return [];
  const names = desired.map(({ name }) => name);
  const settings = [...new Set(desired.flatMap((topic) => Object.keys(topic.settings)))];
  const topics = await readTopics(admin, names, settings);
  const { changes, byHand } = planTopics(
    { topics: desired, access: [], managedPrincipals: '' },
    { topics, access: null },
  );
  const mismatch = byHand.find(({ setting }) => setting === 'partitions');
  if (mismatch !== undefined)
    throw new TopicSpecError(
      mismatch.topic,
      `it was created with ${mismatch.from} partitions, not ${mismatch.to}: ${mismatch.why}`,
    );
  return changes.filter((change) => change.kind === 'alter-setting');
}
