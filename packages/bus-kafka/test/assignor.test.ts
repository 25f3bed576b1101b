import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assign, type MemberClaim } from '../src/consumer/assignor.ts';
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from '../src/consumer/group-protocol.ts';

const TOPICS = new Map([
  ['a', 12],
  ['b', 12],
  ['single', 1],
]);

const member = (memberId: string, owned: readonly number[] = [], generation = 1): MemberClaim => ({
  memberId,
  topics: ['a', 'b', 'single'],
  owned,
  generation,
});

/** Returns the owner of each partition number, and checks that it is the same for every topic. */
function ownersOf(members: readonly MemberClaim[]): string[] {
  const owners: string[] = [];
  for (const [memberId, assigned] of assign(members, TOPICS)) {
    const of = (name: string) => assigned.find(({ topic }) => topic === name)?.partitions ?? [];
    for (const number of of('a')) {
      assert.equal(owners[number], undefined, `${number} has one owner`);
      owners[number] = memberId;
    }
    assert.deepEqual(of('b'), of('a'));
    assert.deepEqual(
      of('single'),
      of('a').filter((number) => number === 0),
    );
  }
  assert.equal(owners.filter(Boolean).length, 12, 'every partition has an owner');
  return owners;
}

const held = (owners: readonly string[], memberId: string): number[] =>
  owners.flatMap((owner, number) => (owner === memberId ? [number] : []));

describe('the assignor', () => {
  test('spreads the partitions evenly over any number of members', () => {
    for (let count = 1; count <= 14; count++) {
      const owners = ownersOf(Array.from({ length: count }, (_, i) => member(`m${i}`)));
      const sizes = Array.from({ length: count }, (_, i) => held(owners, `m${i}`).length);
      assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1, `${sizes}`);
    }
  });

  test('moves only the share of a new member, and distributes the partitions of a member that left', () => {
    let owners = ownersOf([member('m0'), member('m1')]);
    for (const members of [['m0', 'm1', 'm2'], ['m0', 'm1', 'm2', 'm3'], ['m1', 'm2', 'm3'], ['m2']]) {
      const next = ownersOf(members.map((id) => member(id, held(owners, id))));
      const moved = next.filter((owner, number) => members.includes(owners[number]!) && owner !== owners[number]);
      const fresh = members.filter((id) => held(owners, id).length === 0);
      const share = fresh.reduce((sum, id) => sum + held(next, id).length, 0);
      assert.ok(moved.length <= share, `${moved.length} moved for a share of ${share}`);
      owners = next;
    }
  });

  test('prefers the claim of the later generation, and ignores the order of the members', () => {
    const members = [member('late', [0, 1, 2], 3), member('stale', [0, 1, 2, 3], 2)];
    const owners = ownersOf(members);
    assert.deepEqual(held(owners, 'late').slice(0, 3), [0, 1, 2]);
    assert.deepEqual(ownersOf([...members].reverse()), owners);
  });

  test('assigns nothing to a member without topics', () => {
    const silent = { ...member('silent'), topics: [] };
    assert.deepEqual(held(ownersOf([member('m0'), silent]), 'silent'), []);
  });
});

describe('the group protocol', () => {
  test('decodes its own messages', () => {
    const subscription = { topics: ['a', 'b'], owned: [1, 2], generation: 7 };
    assert.deepEqual(decodeSubscription(encodeSubscription(subscription)), subscription);
    const assignment = [{ topic: 'a', partitions: [0, 5] }];
    assert.deepEqual(decodeAssignment(encodeAssignment(assignment)), assignment);
    assert.deepEqual(decodeAssignment(Buffer.alloc(0)), []);
  });

  test('throws for a truncated message, and for an array longer than the message', () => {
    const whole = encodeSubscription({ topics: ['topic'], owned: [], generation: 1 });
    for (let length = 0; length < 13; length++) assert.throws(() => decodeSubscription(whole.subarray(0, length)));
    assert.throws(() => decodeSubscription(Buffer.from('000000ffffff', 'hex')), RangeError);
  });
});
