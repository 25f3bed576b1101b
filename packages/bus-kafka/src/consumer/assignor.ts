import type { Subscription, TopicPartitions } from './group-protocol.ts';

export interface MemberClaim extends Subscription {
  readonly memberId: string;
}

/**
 * Distributes the partitions over the members. A partition number goes to one member for every topic, so that all
 * records of a key are processed in one place. Numbers are spread evenly and move as little as possible. The result
 * does not depend on the order of the members, so every leader computes the same.
 */
export function assign(
  members: readonly MemberClaim[],
  partitionsOf: ReadonlyMap<string, number>,
): Map<string, TopicPartitions[]> {
  const readers = members.filter(({ topics }) => topics.length > 0);
  const owners = ownersOf(readers, Math.max(0, ...partitionsOf.values()));
  const assigned = new Map<string, TopicPartitions[]>();
  for (const { memberId, topics } of members) {
    const assignment = topics.flatMap((topic) => {
      const count = partitionsOf.get(topic) ?? 0;
      const partitions = owners.flatMap((owner, number) => (owner === memberId && number < count ? [number] : []));
      return partitions.length === 0 ? [] : [{ topic, partitions }];
    });
    assigned.set(memberId, assignment);
  }
  return assigned;
}

/** Returns the owner of each partition number. */
function ownersOf(members: readonly MemberClaim[], count: number): string[] {
  // Claims of a later generation win: an earlier one is from before the member lost the partition.
  const ordered = [...members].sort((a, b) => b.generation - a.generation || (a.memberId < b.memberId ? -1 : 1));
  const quota = new Map(ordered.map(({ memberId }) => [memberId, Math.floor(count / ordered.length)]));
  let spare = count % ordered.length;
  const owners: (string | undefined)[] = Array.from({ length: count });
  const take = (memberId: string, number: number): boolean => {
    const remaining = quota.get(memberId)!;
    if (remaining === 0 && spare === 0) return false;
    if (remaining === 0) {
      spare--;
      // A member takes one spare partition at most. A negative quota marks that it has.
      quota.set(memberId, -1);
    } else if (remaining < 0) return false;
    else quota.set(memberId, remaining - 1);
    owners[number] = memberId;
    return true;
  };
  for (const { memberId, owned } of ordered)
    for (const number of owned) if (number < count && owners[number] === undefined) take(memberId, number);
  let next = 0;
  for (let number = 0; number < count; number++) {
    if (owners[number] !== undefined) continue;
    while (!take(ordered[next % ordered.length]!.memberId, number)) next++;
    next++;
  }
  return owners as string[];
}
