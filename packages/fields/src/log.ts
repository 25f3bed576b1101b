import type { EventView } from '@ringfence/wire';
import { KIND } from '@ringfence/wire';
import { bodyLong, bodyText, type Field, some } from './field.ts';

export const isLog = (event: EventView): boolean => event.cursor.kind === KIND.Log;

type Said = (event: EventView) => string | undefined;

function said(leaf: string): Said {
  const read = bodyText('Log', leaf);
  return (event) => (isLog(event) ? some(read(event)) : undefined);
}

/** What a line of a log says, for fields that other events have from elsewhere; undefined on any other event. */
export const logSays: Readonly<
  Record<'category' | 'action' | 'outcome' | 'user' | 'command' | 'workingDirectory', Said>
> = {
  category: said('category'),
  action: said('action'),
  outcome: said('outcome'),
  user: said('user'),
  command: said('command'),
  workingDirectory: said('workingDirectory'),
};

const kinds = ['log'];
const text = (leaf: string): Said => {
  const read = bodyText('Log', leaf);
  return (event) => some(read(event));
};
const offset = bodyLong('Log', 'offset');
const pid = bodyLong('Log', 'pid');
const addresses = bodyText('HostContext', 'addresses');

/** Of lines of logs, and of what a host says about itself. */
export const logFields: readonly Field[] = [
  {
    name: 'message',
    type: 'string',
    doc: 'The line as it was written, up to 16 KiB.',
    aliases: ['syslog.message'],
    kinds,
    get: text('message.bytes'),
  },
  {
    name: 'log.origin',
    type: 'string',
    doc: 'file or journald: read and signed by the agent; filebeat: sent by whoever may write to the topic.',
    kinds,
    get: text('origin'),
  },
  { name: 'log.file.path', type: 'string', doc: 'Its file, or the unit in the journal.', kinds, get: text('path') },
  {
    name: 'log.offset',
    type: 'number',
    doc: 'Where the line begins in its file, bytes.',
    kinds,
    get: (event) => (offset(event) < 0 ? undefined : offset(event)),
  },
  {
    name: 'log.syslog.appname',
    type: 'string',
    doc: 'The program that the line says it is of: any process may claim to be sshd.',
    kinds,
    get: text('program'),
  },
  {
    name: 'log.syslog.procid',
    type: 'number',
    doc: 'The process that the line says it is of; with log.origin journald, the one that sent it.',
    kinds,
    get: (event) => (pid(event) === 0 ? undefined : pid(event)),
  },
  {
    name: 'user.target.name',
    type: 'string',
    doc: 'As whom a command runs, whose session begins, which account is changed.',
    kinds,
    get: text('targetUser'),
  },
  { name: 'ringfence.ssh.method', type: 'string', doc: 'password, publickey, …', kinds, get: text('method') },
  {
    name: 'ringfence.ssh.fingerprint',
    type: 'string',
    doc: 'Of the key of a login: SHA256:….',
    kinds,
    get: text('fingerprint'),
  },
  { name: 'ringfence.log.tty', type: 'string', doc: 'Terminal that the line names.', kinds, get: text('tty') },
  {
    name: 'host.hostname',
    type: 'string',
    doc: 'Name of the host.',
    kinds: ['host_context'],
    get: bodyText('HostContext', 'hostname'),
  },
  {
    name: 'host.ip',
    type: 'strings',
    doc: 'Addresses of its interfaces, without loopback.',
    kinds: ['host_context'],
    get: (event) => (addresses(event) === '' ? undefined : addresses(event).split(' ')),
  },
];
