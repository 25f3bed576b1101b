import { type BytesLeaf, type EventView, leaf, type ProcessInfo, UNSET_ID } from '@ringfence/wire';
import { bodyLong, type Field, nonEmpty, ofProcess } from '../field.ts';
import { isLog, logField } from '../host/log.ts';
import { capabilityNames } from '../names/capabilities.ts';

const { groupsBeforeBytes, groupsAfterBytes, groupsBeforeLength, groupsAfterLength } = leaf.CredentialsChange;

/** The process whose user is meant. The sender of a log line is not the user that the line is about. */
const actor = (event: EventView): ProcessInfo | undefined => (isLog(event) ? undefined : event.process);

/** Reads ids of four bytes each, as the sensor writes them. */
export function groupIds({ buffer }: EventView['cursor'], at: number, length: number): string[] {
  return Array.from({ length: length >>> 2 }, (_, index) => String(buffer.readUInt32LE(at + 4 * index)));
}

/** Undefined if the call did not change groups: then the event holds none. */
function changedGroups({ cursor }: EventView, groups: BytesLeaf): string[] | undefined {
  if (cursor.leafLong(groupsBeforeLength) === 0 && cursor.leafLong(groupsAfterLength) === 0) return undefined;
  return groupIds(cursor, cursor.leafAt(groups), cursor.leafLength(groups));
}

export const userFields: readonly Field[] = [
  {
    name: 'user.audit.id',
    type: 'number',
    doc: 'Id of the user who logged in (loginuid); absent without a login.',
    aliases: ['user.loginuid'],
    subject: ofProcess,
    get: (event) => (actor(event)?.raw.loginuid === UNSET_ID ? undefined : actor(event)?.raw.loginuid),
  },
  {
    name: 'user.id',
    type: 'number',
    doc: 'Real user id.',
    aliases: ['user.uid'],
    subject: ofProcess,
    get: (event) => actor(event)?.uid,
  },
  {
    name: 'user.effective.id',
    type: 'number',
    doc: 'Effective user id.',
    subject: ofProcess,
    get: (event) => actor(event)?.euid,
  },
  {
    name: 'user.name',
    type: 'string',
    doc: 'Name of the effective user; on log lines the user who logs in or makes the request.',
    aliases: ['User'],
    subject: ofProcess,
    get: (event) => (isLog(event) ? logField.user(event) : nonEmpty(event.process?.user)),
  },
  {
    name: 'group.id',
    type: 'number',
    doc: 'Real group id.',
    aliases: ['group.gid'],
    subject: ofProcess,
    get: (event) => actor(event)?.raw.credentials.gid,
  },
  {
    name: 'process.thread.capabilities.effective',
    type: 'strings',
    doc: 'Names of the effective capabilities.',
    aliases: ['thread.cap_effective'],
    subject: ofProcess,
    get: (event) => event.process && capabilityNames(event.process.raw.credentials.capEffective),
  },
  {
    name: 'process.thread.capabilities.permitted',
    type: 'strings',
    doc: 'Names of the permitted capabilities.',
    aliases: ['thread.cap_permitted'],
    get: (event) => event.process && capabilityNames(event.process.raw.credentials.capPermitted),
  },
  {
    name: 'process.thread.capabilities.inheritable',
    type: 'strings',
    doc: 'Names of the inheritable capabilities, which are kept through an exec.',
    aliases: ['thread.cap_inheritable'],
    get: (event) => event.process && capabilityNames(event.process.raw.credentials.capInheritable),
  },
  {
    name: 'user.before.id',
    type: 'number',
    doc: 'Real user id before the change.',
    kinds: ['credentials'],
    get: bodyLong(leaf.CredentialsChange.before.uid),
  },
  {
    name: 'user.before.effective.id',
    type: 'number',
    doc: 'Effective user id before the change.',
    kinds: ['credentials'],
    get: bodyLong(leaf.CredentialsChange.before.euid),
  },
  {
    name: 'user.changes.id',
    type: 'number',
    doc: 'Real user id after the change.',
    kinds: ['credentials'],
    get: bodyLong(leaf.CredentialsChange.after.uid),
  },
  {
    name: 'user.changes.effective.id',
    type: 'number',
    doc: 'Effective user id after the change.',
    kinds: ['credentials'],
    get: bodyLong(leaf.CredentialsChange.after.euid),
  },
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
  {
    name: 'process.capabilities.gained',
    type: 'strings',
    doc: 'Effective capabilities that the change added.',
    kinds: ['credentials'],
    get: (event) => {
      const { buffer } = event.cursor;
      return capabilityNames(
        buffer,
        event.cursor.leafAt(leaf.CredentialsChange.after.capEffective),
        buffer,
        event.cursor.leafAt(leaf.CredentialsChange.before.capEffective),
      );
    },
  },
];
