import { type BytesLeaf, type EventView, KIND, leaf, records, UNSET_ID } from '@ringfence/wire';
import { bodyLong, type Field } from '../field.ts';
import { capabilityNames } from '../names/capabilities.ts';

const { groupsBeforeBytes, groupsAfterBytes, groupsBeforeLength, groupsAfterLength } = leaf.CredentialsChange;
const operation = bodyLong(leaf.Isolation.operation);
const kinds = ['credentials', 'isolation'];

type Side = 'before' | 'after';
type Leaves = (typeof leaf.CredentialsChange)[Side] | (typeof leaf.Isolation)[Side];

/** Only setns and unshare change credentials among the calls of an isolation event, and 0.2.0 recorded none there. */
function leavesOf(event: EventView, side: Side): Leaves | undefined {
  if (event.cursor.kind !== KIND.Isolation) return leaf.CredentialsChange[side];
  if (operation(event) > records.IsolationOperation.ISOLATION_UNSHARE) return undefined;
  return event.cursor.leafLong(leaf.Isolation[side].uid) === UNSET_ID ? undefined : leaf.Isolation[side];
}

/** Reads ids of four bytes each, as the sensor writes them. */
export function groupIds({ buffer }: EventView['cursor'], at: number, length: number): string[] {
  return Array.from({ length: length >>> 2 }, (_, index) => String(buffer.readUInt32LE(at + 4 * index)));
}

/** Undefined if the call did not change groups: then the event holds none. */
function changedGroups({ cursor }: EventView, groups: BytesLeaf): string[] | undefined {
  if (cursor.leafLong(groupsBeforeLength) === 0 && cursor.leafLong(groupsAfterLength) === 0) return undefined;
  return groupIds(cursor, cursor.leafAt(groups), cursor.leafLength(groups));
}

const IDS = [
  ['user', 'id', 'uid', 'Real user id'],
  ['user', 'effective.id', 'euid', 'Effective user id'],
  ['user', 'saved.id', 'suid', 'Saved user id'],
  ['user', 'filesystem.id', 'fsuid', 'User id for accesses to files'],
  ['group', 'id', 'gid', 'Real group id'],
  ['group', 'effective.id', 'egid', 'Effective group id'],
  ['group', 'saved.id', 'sgid', 'Saved group id'],
  ['group', 'filesystem.id', 'fsgid', 'Group id for accesses to files'],
] as const;
const SETS = [
  ['effective', 'capEffective'],
  ['permitted', 'capPermitted'],
  ['inheritable', 'capInheritable'],
] as const;
const SIDES = [
  ['before', 'before', 'before the call'],
  ['after', 'changes', 'after the call'],
] as const;

const idFields = SIDES.flatMap(([side, infix, when]) =>
  IDS.map(
    ([subject, name, id, doc]): Field => ({
      name: `${subject}.${infix}.${name}`,
      type: 'number',
      doc: `${doc} ${when}.`,
      kinds,
      get: (event) => {
        const leaves = leavesOf(event, side);
        return leaves && event.cursor.leafLong(leaves[id]);
      },
    }),
  ),
);

const capabilityFields = SIDES.flatMap(([side, , when]) =>
  SETS.map(
    ([name, set]): Field => ({
      name: `process.capabilities.${side}.${name}`,
      type: 'strings',
      doc: `Names of the ${name} capabilities ${when}.`,
      kinds,
      get: (event) => {
        const leaves = leavesOf(event, side);
        return leaves && capabilityNames(event.cursor.buffer, event.cursor.leafAt(leaves[set]));
      },
    }),
  ),
);

/** Credentials before and after a call that changes them: set*id, setgroups, capset, and unshare and setns. */
export const credentialFields: readonly Field[] = [
  ...idFields,
  {
    name: 'user.before.group.ids',
    type: 'strings',
    doc: 'Supplementary groups before setgroups changed them; the lowest 32.',
    kinds: ['credentials'],
    get: (event) => changedGroups(event, groupsBeforeBytes),
  },
  {
    name: 'user.changes.group.ids',
    type: 'strings',
    doc: 'Supplementary groups after setgroups changed them, possibly none; the lowest 32.',
    kinds: ['credentials'],
    get: (event) => changedGroups(event, groupsAfterBytes),
  },
  ...capabilityFields,
  {
    name: 'process.capabilities.gained',
    type: 'strings',
    doc: 'Effective capabilities that the call added; after unshare and setns they are those in the new user namespace.',
    kinds,
    get: (event) => {
      const [before, after] = [leavesOf(event, 'before'), leavesOf(event, 'after')];
      if (before === undefined || after === undefined) return undefined;
      const { buffer } = event.cursor;
      const at = event.cursor.leafAt(after.capEffective);
      return capabilityNames(buffer, at, buffer, event.cursor.leafAt(before.capEffective));
    },
  },
];
