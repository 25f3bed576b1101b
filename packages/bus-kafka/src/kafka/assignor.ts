import type { Subscription, TopicPartitions } from './group-protocol.ts';

export interface MemberClaim extends Subscription {
  readonly memberId: string;
}

/**
 * Who gets which partitions. A number goes to one member, for every topic: what belongs together by key is worked on in one place. Numbers are spread
 * evenly, and stay where they are as far as that allows: a member that comes takes only its share. The same answer whoever computes it.
 */
export function assign(
  members: readonly MemberClaim[],
  partitionsOf: ReadonlyMap<string, number>,
): Map<string, TopicPartitions[]> {
  const working = members.filter(({ topics }) => topics.length > 0);
  const owners = ownersOf(working, Math.max(0, ...partitionsOf.values()));
  const assigned = new Map<string, TopicPartitions[]>();
  for (const { memberId, topics } of members) {
    const own = topics.flatMap((topic) => {
      const count = partitionsOf.get(topic) ?? 0;
      const partitions = owners.flatMap((owner, number) => (owner === memberId && number < count ? [number] : []));
      return partitions.length === 0 ? [] : [{ topic, partitions }];
    });
    assigned.set(memberId, own);
  }
  return assigned;
}

/** The member that has each number. */
function ownersOf(members: readonly MemberClaim[], count: number): string[] {
  // Whoever held a number last has the better claim: the other's is from before it lost it.
  const ordered = [...members].sort((a, b) => b.generation - a.generation || (a.memberId < b.memberId ? -1 : 1));
  const quota = new Map(ordered.map(({ memberId }) => [memberId, Math.floor(count / ordered.length)]));
  let spare = count % ordered.length;
  const owners: (string | undefined)[] = Array.from({ length: count });
  const take = (memberId: string, number: number): boolean => {
    const left = quota.get(memberId)!;
    if (left === 0 && spare === 0) return false;
    if (left === 0) {
      spare--;
      // One more than the floor, and no second one.
      quota.set(memberId, -1);
    } else if (left < 0) return false;
    else quota.set(memberId, left - 1);
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
