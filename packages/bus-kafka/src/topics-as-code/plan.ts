import type { AccessEntry, Actual, ByHand, Change, Desired, Plan, TopicState } from './types.ts';

/** Returns the changes that give the brokers the desired topics and access. Never deletes, and never moves data. */
export function planTopics(desired: Desired, actual: Actual): Plan {
  const existing = new Map(actual.topics.map((topic) => [topic.name, topic]));
  const changes: Change[] = [];
  const byHand: ByHand[] = [];
  for (const topic of desired.topics) {
    const found = existing.get(topic.name);
    if (found === undefined) changes.push({ kind: 'create-topic', topic });
    else {
      changes.push(...settingsOf(topic, found));
      byHand.push(...byHandOf(topic, found));
    }
  }
  if (actual.access !== null) changes.push(...missing(desired.access, actual.access));
  return { changes, byHand, foreignAccess: foreign(desired, actual), accessChecked: actual.access !== null };
}

/** Returns each missing entry once, although two roles may share a principal. */
function missing(desired: readonly AccessEntry[], actual: readonly AccessEntry[]): Change[] {
  const listed = new Set(actual.map(keyOf));
  const wanted = new Map(desired.map((entry) => [keyOf(entry), entry]));
  return [...wanted].flatMap(([key, entry]) => (listed.has(key) ? [] : [{ kind: 'add-access' as const, entry }]));
}

function settingsOf(topic: TopicState, found: TopicState): Change[] {
  return Object.entries(topic.settings).flatMap(([setting, to]): Change[] => {
    const from = found.settings[setting] ?? '';
    if (normal(from) === normal(to)) return [];
    return [{ kind: 'alter-setting', topic: topic.name, setting, from, to }];
  });
}

/** Brokers return list values in any order. */
const normal = (value: string): string => value.split(',').sort().join(',');

const WHY = {
  partitions:
    'keys would go to another partition than their state and earlier records: use another bus.kafka.topicPrefix, or set bus.kafka.partitions to the existing number',
  replicas: 'move replicas with kafka-reassign-partitions, which needs a list of brokers and bandwidth',
} as const;

function byHandOf(topic: TopicState, found: TopicState): ByHand[] {
  return (['partitions', 'replicas'] as const).flatMap((setting) =>
    topic[setting] === found[setting]
      ? []
      : [{ topic: topic.name, setting, from: found[setting], to: topic[setting], why: WHY[setting] }],
  );
}

const keyOf = (entry: AccessEntry): string =>
  [entry.principal, entry.host, entry.resource, entry.pattern, entry.name, entry.operation, entry.permission].join(
    '\n',
  );

/** Returns the other entries that allow or deny something for topics and groups of this fleet. */
function foreign(desired: Desired, actual: Actual): AccessEntry[] {
  const desiredKeys = new Set(desired.access.map(keyOf));
  const { managedPrincipals } = desired;
  const isManaged = ({ principal }: AccessEntry): boolean =>
    managedPrincipals !== '' && principal.startsWith(managedPrincipals);
  const names = {
    topic: desired.topics.map(({ name }) => name),
    group: desired.access.filter(({ resource }) => resource === 'group').map(({ name }) => name),
  };
  return (actual.access ?? []).filter(
    (entry) =>
      (entry.resource === 'topic' || entry.resource === 'group') &&
      !desiredKeys.has(keyOf(entry)) &&
      !isManaged(entry) &&
      names[entry.resource].some((name) => concerns(entry, name)),
  );
}

function concerns({ resource, pattern, name }: AccessEntry, target: string): boolean {
  if (pattern === 'prefixed') return target.startsWith(name) || name.startsWith(target);
  return name === '*' || name === target || (resource === 'group' && name.startsWith(target));
}
