import { type Admin, ListOffsetTimestamps } from '@platformatic/kafka';

/** The methods of the admin client that are used here. */
export type GroupAdmin = Pick<
  Admin,
  'metadata' | 'describeGroups' | 'listConsumerGroupOffsets' | 'listOffsets' | 'listTopics'
>;

export interface GroupMember {
  /** Client id. */
  readonly client: string;
  readonly host: string;
  /** Its partition numbers, ascending. */
  readonly partitions: readonly number[];
}

export interface TopicLag {
  readonly topic: string;
  readonly partitions: number;
  /** Records in all partitions that the group has not committed. */
  readonly lag: number;
  /** Sum of the end offsets of all partitions. Its growth is the rate of the topic. */
  readonly end: number;
  /** Partitions without a member. */
  readonly unowned: readonly number[];
}

export interface GroupView {
  readonly group: string;
  /**
   * Kafka's state: Stable, PreparingRebalance, Empty or Dead. Forbidden when the user may not describe the group; then
   * nothing else is known.
   */
  readonly state: string;
  readonly members: readonly GroupMember[];
  readonly topics: readonly TopicLag[];
}

export interface GroupQuestion {
  readonly group: string;
  readonly topics: readonly string[];
}

/**
 * Returns the members, partition assignments and lags of groups. Omits topics that do not exist. `prefix` is the prefix
 * of the fleet.
 */
export async function readTopology(
  admin: GroupAdmin,
  questions: readonly GroupQuestion[],
  prefix = '',
): Promise<GroupView[]> {
  const existing = new Set(await admin.listTopics({ includeInternals: false }));
  const groups = questions.map(({ group, topics }) => ({
    group,
    topics: topics.filter((topic) => existing.has(prefix + topic)),
  }));
  const names = [...new Set(groups.flatMap(({ topics }) => topics))];
  if (names.length === 0) return groups.map(({ group }) => ({ group, state: 'Dead', members: [], topics: [] }));
  // Read the committed offsets before the ends. In the other order, new commits could be ahead of the ends.
  const committed = new Map<string, Map<string, Map<number, number>>>();
  for (const { group } of groups) {
    const offsets = await unlessForbidden(readCommitted(admin, prefix + group));
    if (offsets !== null) committed.set(group, offsets);
  }
  const ends = await readEnds(admin, names, prefix);
  const described = await admin.describeGroups({ groups: [...committed.keys()].map((group) => prefix + group) });
  const views: GroupView[] = [];
  for (const { group, topics } of groups) {
    if (!committed.has(group)) {
      views.push({ group, state: 'Forbidden', members: [], topics: [] });
      continue;
    }
    const found = described.get(prefix + group);
    const members = [...(found?.members.values() ?? [])].map(
      ({ clientId, clientHost, assignments }): GroupMember => ({
        client: clientId,
        host: clientHost.replace(/^\//, ''),
        partitions: [...new Set([...(assignments?.values() ?? [])].flatMap(({ partitions }) => partitions))].sort(
          (a, b) => a - b,
        ),
      }),
    );
    const offsets = committed.get(group);
    const lags = topics.map((topic) => lagOf(topic, ends.get(topic) ?? [], offsets?.get(prefix + topic), members));
    views.push({ group, state: found?.state ?? 'Dead', members, topics: lags });
  }
  return views;
}

/** Returns null when the user may not describe the group. */
async function unlessForbidden<T>(request: Promise<T>): Promise<T | null> {
  try {
    return await request;
  } catch (error) {
    if (isForbidden(error)) return null;
    throw error;
  }
}

function isForbidden(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { errors = [], cause } = error as Error & { errors?: readonly unknown[] };
  return /group authorization failed/i.test(error.message) || isForbidden(cause) || errors.some(isForbidden);
}

interface Ends {
  readonly first: number;
  readonly next: number;
}

function lagOf(
  topic: string,
  ends: readonly Ends[],
  committed: ReadonlyMap<number, number> | undefined,
  members: readonly GroupMember[],
): TopicLag {
  const owned = new Set(members.flatMap(({ partitions }) => partitions));
  let lag = 0;
  let end = 0;
  ends.forEach(({ first, next }, partition) => {
    // A new leader may lag behind the committed offset for a moment.
    lag += Math.max(0, next - Math.max(first, committed?.get(partition) ?? first));
    end += next;
  });
  const unowned = ends.flatMap((_, partition) => (owned.has(partition) ? [] : [partition]));
  return { topic, partitions: ends.length, lag, end, unowned };
}

async function readEnds(admin: GroupAdmin, names: readonly string[], prefix: string): Promise<Map<string, Ends[]>> {
  const full = names.map((name) => prefix + name);
  const { topics } = await admin.metadata({ topics: full, forceUpdate: true });
  const ask = async (timestamp: bigint): Promise<Map<string, Map<number, number>>> => {
    const requested = full.map((name) => ({
      name,
      partitions: Array.from({ length: topics.get(name)?.partitionsCount ?? 0 }, (_, partitionIndex) => ({
        partitionIndex,
        timestamp,
      })),
    }));
    const listed = await admin.listOffsets({ topics: requested });
    return new Map(
      listed.map(({ name, partitions }) => [
        name,
        new Map(partitions.map(({ partitionIndex, offset }) => [partitionIndex, Number(offset)])),
      ]),
    );
  };
  const first = await ask(ListOffsetTimestamps.EARLIEST);
  const next = await ask(ListOffsetTimestamps.LATEST);
  return new Map(
    names.map((name) => {
      const count = topics.get(prefix + name)?.partitionsCount ?? 0;
      const [firstOffsets, nextOffsets] = [first.get(prefix + name), next.get(prefix + name)];
      const endsOf = (i: number): Ends => ({ first: firstOffsets?.get(i) ?? 0, next: nextOffsets?.get(i) ?? 0 });
      return [name, Array.from({ length: count }, (_, i) => endsOf(i))];
    }),
  );
}

async function readCommitted(admin: GroupAdmin, group: string): Promise<Map<string, Map<number, number>>> {
  const [found] = await admin.listConsumerGroupOffsets({ groups: [group] });
  return new Map(
    (found?.topics ?? []).map(({ name, partitions }) => [
      name,
      // -1 means that the group has never committed.
      new Map(
        partitions.flatMap(({ partitionIndex, committedOffset }) =>
          committedOffset < 0n ? [] : [[partitionIndex, Number(committedOffset)] as const],
        ),
      ),
    ]),
  );
}
