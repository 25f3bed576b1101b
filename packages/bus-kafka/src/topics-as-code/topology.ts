import { type Admin, ListOffsetTimestamps } from '@platformatic/kafka';

/** What of the admin client is used. */
export type GroupAdmin = Pick<
  Admin,
  'metadata' | 'describeGroups' | 'listConsumerGroupOffsets' | 'listOffsets' | 'listTopics'
>;

export interface GroupMember {
  /** the client's name for itself */
  readonly client: string;
  readonly host: string;
  /** which partitions of the topics it reads, ascending */
  readonly partitions: readonly number[];
}

export interface TopicLag {
  readonly topic: string;
  readonly partitions: number;
  /** records, over all partitions, that the group has not committed */
  readonly lag: number;
  /** records that lie beyond what was ever written: what rates are measured by */
  readonly end: number;
  /** partitions that no member has */
  readonly unowned: readonly number[];
}

export interface GroupView {
  readonly group: string;
  /** as the brokers say: Stable, PreparingRebalance, Empty, Dead; Forbidden: this user may not describe it, so nothing else is known */
  readonly state: string;
  readonly members: readonly GroupMember[];
  readonly topics: readonly TopicLag[];
}

export interface GroupQuestion {
  readonly group: string;
  readonly topics: readonly string[];
}

/** How the groups do: who is in them, which partitions each has, and how far they are behind. Topics that don't exist are left out. `prefix`: of this fleet. */
export async function readTopology(
  admin: GroupAdmin,
  asked: readonly GroupQuestion[],
  prefix = '',
): Promise<GroupView[]> {
  const existing = new Set(await admin.listTopics({ includeInternals: false }));
  const groups = asked.map(({ group, topics }) => ({
    group,
    topics: topics.filter((topic) => existing.has(prefix + topic)),
  }));
  const names = [...new Set(groups.flatMap(({ topics }) => topics))];
  if (names.length === 0) return groups.map(({ group }) => ({ group, state: 'Dead', members: [], topics: [] }));
  // Before the ends: what is committed in between would else be ahead of them.
  const committed = new Map<string, Map<string, Map<number, number>>>();
  for (const { group } of groups) {
    const own = await unlessForbidden(readCommitted(admin, prefix + group));
    if (own !== null) committed.set(group, own);
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
    const own = committed.get(group);
    const lags = topics.map((topic) => lagOf(topic, ends.get(topic) ?? [], own?.get(prefix + topic), members));
    views.push({ group, state: found?.state ?? 'Dead', members, topics: lags });
  }
  return views;
}

/** null: the brokers don't let this user. */
async function unlessForbidden<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
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
    // A leader that has just changed may know of fewer records than were committed.
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
    const asked = full.map((name) => ({
      name,
      partitions: Array.from({ length: topics.get(name)?.partitionsCount ?? 0 }, (_, partitionIndex) => ({
        partitionIndex,
        timestamp,
      })),
    }));
    const listed = await admin.listOffsets({ topics: asked });
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
      const at = (of: typeof first, partition: number): number => of.get(prefix + name)?.get(partition) ?? 0;
      return [name, Array.from({ length: count }, (_, i) => ({ first: at(first, i), next: at(next, i) }))];
    }),
  );
}

async function readCommitted(admin: GroupAdmin, group: string): Promise<Map<string, Map<number, number>>> {
  const [found] = await admin.listConsumerGroupOffsets({ groups: [group] });
  return new Map(
    (found?.topics ?? []).map(({ name, partitions }) => [
      name,
      // -1: never committed
      new Map(
        partitions.flatMap(({ partitionIndex, committedOffset }) =>
          committedOffset < 0n ? [] : [[partitionIndex, Number(committedOffset)] as const],
        ),
      ),
    ]),
  );
}
