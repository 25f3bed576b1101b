import { type EventView, type ProcessInfo, processLeaf, UNSET_ID } from '@ringfence/wire';
import { type Field, nonEmpty, ofProcess } from '../field.ts';
import { isLog, logField } from '../host/log.ts';
import { capabilityNames } from '../names/capabilities.ts';

/** The process whose user is meant. The sender of a log line is not the user that the line is about. */
const actor = (event: EventView): ProcessInfo | undefined => (isLog(event) ? undefined : event.process);

export const userFields: readonly Field[] = [
  {
    name: 'user.audit.id',
    type: 'number',
    doc: 'Id of the user who logged in (loginuid); absent without a login.',
    aliases: ['user.loginuid'],
    subject: ofProcess,
    get: (event) => {
      const id = actor(event)?.long(processLeaf.loginuid);
      return id === UNSET_ID ? undefined : id;
    },
  },
  {
    name: 'user.id',
    type: 'number',
    doc: 'Real user id.',
    subject: ofProcess,
    get: (event) => actor(event)?.uid,
  },
  {
    name: 'user.effective.id',
    type: 'number',
    doc: 'Effective user id.',
    aliases: ['user.uid'],
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
    subject: ofProcess,
    get: (event) => actor(event)?.long(processLeaf.credentials.gid),
  },
  {
    name: 'group.effective.id',
    type: 'number',
    doc: 'Effective group id.',
    aliases: ['group.gid'],
    subject: ofProcess,
    get: (event) => actor(event)?.long(processLeaf.credentials.egid),
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
];
