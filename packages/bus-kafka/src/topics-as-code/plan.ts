import type { AccessEntry, Actual, ByHand, Change, Desired, Plan, TopicState } from './types.ts';

/** What is to be done so that the brokers have what is desired. Nothing is ever deleted, and nothing that exists moves. */
export function planTopics(desired: Desired, actual: Actual): Plan {
  const there = new Map(actual.topics.map((topic) => [topic.name, topic]));
  const changes: Change[] = [];
  const byHand: ByHand[] = [];
  for (const topic of desired.topics) {
    const found = there.get(topic.name);
    if (found === undefined) changes.push({ kind: 'create-topic', topic });
    else {
      changes.push(...settingsOf(topic, found));
      byHand.push(...byHandOf(topic, found));
    }
  }
  if (actual.access !== null) changes.push(...missing(desired.access, actual.access));
  return { changes, byHand, foreignAccess: foreign(desired, actual), accessChecked: actual.access !== null };
}

/** Two roles may have one principal: an entry is added once. */
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

/** Brokers give lists in any order. */
const normal = (value: string): string => value.split(',').sort().join(',');

const WHY = {
  partitions:
    'a key would go to another partition than its state and its earlier records: make a fleet with another bus.kafka.topicPrefix, or set bus.kafka.partitions to what is there',
  replicas: 'replicas move by kafka-reassign-partitions, which takes a list of brokers and bandwidth',
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

/** Who else may do something with what is ours, or is kept from it. */
function foreign(desired: Desired, actual: Actual): AccessEntry[] {
  const ours = new Set(desired.access.map(keyOf));
  const names = {
    topic: desired.topics.map(({ name }) => name),
    group: desired.access.filter(({ resource }) => resource === 'group').map(({ name }) => name),
  };
  return (actual.access ?? []).filter(
    (entry) =>
      (entry.resource === 'topic' || entry.resource === 'group') &&
      !ours.has(keyOf(entry)) &&
      names[entry.resource].some((name) => concerns(entry, name)),
  );
}

function concerns({ resource, pattern, name }: AccessEntry, ours: string): boolean {
  if (pattern === 'prefixed') return ours.startsWith(name) || name.startsWith(ours);
  return name === '*' || name === ours || (resource === 'group' && name.startsWith(ours));
}
