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

/** What of the admin client is used. */
export type TopicAdmin = Pick<
  Admin,
  | 'listTopics'
  | 'metadata'
  | 'describeConfigs'
  | 'describeAcls'
  | 'createTopics'
  | 'incrementalAlterConfigs'
  | 'createAcls'
  | 'describeLogDirs'
> &
  GroupAdmin;

/** How many brokers there are. */
export async function brokersOf(admin: TopicAdmin): Promise<number> {
  return (await admin.metadata({ topics: [] })).brokers.size;
}

/** What the brokers have of what is desired; and their whole access list. */
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
    // While replicas are moved a partition may have more: the fewest are what can be counted on.
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
  ['describe-configs', AclOperations.DESCRIBE_CONFIGS],
  ['all', AclOperations.ALL],
];

const nameOf = <N extends string>(pairs: readonly (readonly [N, number])[], value: number): N | 'other' =>
  pairs.find(([, one]) => one === value)?.[0] ?? 'other';

function codeOf<N extends string, V extends number>(pairs: readonly (readonly [N, V])[], name: string): V {
  const found = pairs.find(([one]) => one === name);
  if (found === undefined) throw new TypeError(`no ${name} in an access entry of ours`);
  return found[1];
}

/** null: the brokers have no authorizer. */
async function readAccess(admin: TopicAdmin): Promise<AccessEntry[] | null> {
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
    if (says('SECURITY_DISABLED', error)) return null;
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

/** Whether a broker's code is in an error: the client hides it in what caused what. */
function says(code: string, error: unknown, depth = 0): boolean {
  if (!(error instanceof Error) || depth > 5) return false;
  const { apiId, errors, cause } = error as Error & { apiId?: unknown; errors?: readonly unknown[] };
  return apiId === code || [...(errors ?? []), cause].some((inner) => says(code, inner, depth + 1));
}

/**
 * Does what the plan says, topics first; `done` hears of each. A change that is refused ends it: what was done stays, and the next plan goes on from there.
 * A topic that is there by now gets the plan's settings. Rejects with TopicSpecError when it has other partitions.
 */
export async function applyPlan(admin: TopicAdmin, plan: Plan, done: (change: Change) => void): Promise<void> {
  const created = plan.changes.filter((change) => change.kind === 'create-topic');
  const found: TopicState[] = [];
  for (const change of created) {
    if (!(await createTopic(admin, change.topic))) found.push(change.topic);
    done(change);
  }
  if (created.length > 0) {
    const names = created.map(({ topic }) => topic.name);
    await untilHeard(names, () => admin.listTopics({ includeInternals: false }));
  }
  const altered = [
    ...plan.changes.filter((change) => change.kind === 'alter-setting'),
    ...(await settingsLeft(admin, found)),
  ];
  for (const [topic, changes] of Map.groupBy(altered, ({ topic }) => topic)) {
    const configs = changes.map(({ setting, to }) => ({
      name: setting,
      configOperation: IncrementalAlterConfigOperationTypes.SET,
      value: to,
    }));
    const resource = { resourceType: ConfigResourceTypes.TOPIC, resourceName: topic, configs };
    await admin.incrementalAlterConfigs({ resources: [resource] });
    changes.forEach(done);
  }
  const entries = plan.changes.filter((change) => change.kind === 'add-access');
  if (entries.length > 0) {
    await admin.createAcls({ creations: entries.map(({ entry }) => aclOf(entry)) });
    const wanted = entries.map(({ entry }) => textOf(entry));
    await untilHeard(wanted, async () => (await readAccess(admin))?.map(textOf) ?? wanted);
  }
  entries.forEach(done);
}

const textOf = ({ principal, host, resource, name, pattern, operation, permission }: AccessEntry): string =>
  JSON.stringify([principal, host, resource, name, pattern, operation, permission]);

/** The controller answers before every broker has heard of it: who comes next should find what was made. Rejects with BusUnavailableError after 10 s. */
async function untilHeard(wanted: readonly string[], ask: () => Promise<readonly string[]>): Promise<void> {
  let missing = wanted;
  for (let attempt = 0; attempt < 50; attempt++) {
    const heard = new Set(await ask());
    missing = wanted.filter((one) => !heard.has(one));
    if (missing.length === 0) return;
    await sleep(200);
  }
  const what = `the controller has them, but after 10 s the brokers do not show ${missing.slice(0, 3).join(', ')}: plan again`;
  throw new BusUnavailableError('making topics and access lists', 'TIMEOUT', what);
}

/** false: it is there. Somebody else may plan the same, and a request that was answered too late is made again by the client. */
async function createTopic(admin: TopicAdmin, { name, partitions, replicas, settings }: TopicState): Promise<boolean> {
  const configs = Object.entries(settings).map(([setting, value]) => ({ name: setting, value }));
  try {
    await admin.createTopics({ topics: [name], partitions, replicas, configs });
    return true;
  } catch (error) {
    if (says('TOPIC_ALREADY_EXISTS', error)) return false;
    throw error;
  }
}

/** What of the settings of topics that others have made is not as desired. */
async function settingsLeft(admin: TopicAdmin, desired: readonly TopicState[]) {
  if (desired.length === 0) return [];
  const names = desired.map(({ name }) => name);
  const settings = [...new Set(desired.flatMap((topic) => Object.keys(topic.settings)))];
  const topics = await readTopics(admin, names, settings);
  const { changes, byHand } = planTopics({ topics: desired, access: [] }, { topics, access: null });
  const other = byHand.find(({ setting }) => setting === 'partitions');
  if (other !== undefined)
    throw new TopicSpecError(other.topic, `it was made with ${other.from} partitions, not ${other.to}: ${other.why}`);
  return changes.filter((change) => change.kind === 'alter-setting');
}
