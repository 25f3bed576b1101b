import type { EventView } from '@ringfence/wire';
import { type BytesLeaf, KIND, leaf } from '@ringfence/wire';
import { bodyLong, bodyText, type Field, nonEmpty } from '../field.ts';

export const isLog = (event: EventView): boolean => event.cursor.kind === KIND.Log;

type LogValue = (event: EventView) => string | undefined;

function logValue(field: BytesLeaf): LogValue {
  const read = bodyText(field);
  return (event) => (isLog(event) ? nonEmpty(read(event)) : undefined);
}

/** Values of log lines for fields that other events fill from other sources; undefined on any other event. */
export const logField: Readonly<
  Record<'category' | 'action' | 'outcome' | 'user' | 'command' | 'workingDirectory', LogValue>
> = {
  category: logValue(leaf.Log.category),
  action: logValue(leaf.Log.action),
  outcome: logValue(leaf.Log.outcome),
  user: logValue(leaf.Log.user),
  command: logValue(leaf.Log.command),
  workingDirectory: logValue(leaf.Log.workingDirectory),
};

const kinds = ['log'];
const text = (field: BytesLeaf): LogValue => {
  const read = bodyText(field);
  return (event) => nonEmpty(read(event));
};
const offset = bodyLong(leaf.Log.offset);
const pid = bodyLong(leaf.Log.pid);
const addresses = bodyText(leaf.HostContext.addresses);

/** Fields of log lines, and of the host's description of itself. */
export const logFields: readonly Field[] = [
  {
    name: 'message',
    type: 'string',
    doc: 'The line as it was written, up to 16 KiB.',
    aliases: ['syslog.message'],
    kinds,
    get: text(leaf.Log.messageBytes),
  },
  {
    name: 'log.origin',
    type: 'string',
    doc: 'file or journald: read and signed by the agent; filebeat: unsigned, from any client that may write to the topic.',
    kinds,
    get: text(leaf.Log.origin),
  },
  {
    name: 'log.file.path',
    type: 'string',
    doc: 'File of the line, or the unit in the journal.',
    kinds,
    get: text(leaf.Log.path),
  },
  {
    name: 'log.offset',
    type: 'number',
    doc: 'Offset of the line in its file, in bytes.',
    kinds,
    get: (event) => (offset(event) < 0 ? undefined : offset(event)),
  },
  {
    name: 'log.syslog.appname',
    type: 'string',
    doc: 'Program that the line names as its sender; any process can claim to be sshd.',
    kinds,
    get: text(leaf.Log.program),
  },
  {
    name: 'log.syslog.procid',
    type: 'number',
    doc: 'Process id that the line names as its sender; with log.origin journald, the process that sent the line.',
    kinds,
    get: (event) => (pid(event) === 0 ? undefined : pid(event)),
  },
  {
    name: 'user.target.name',
    type: 'string',
    doc: 'User that a command runs as, whose session begins, or whose account is changed.',
    kinds,
    get: text(leaf.Log.targetUser),
  },
  { name: 'ringfence.ssh.method', type: 'string', doc: 'password, publickey, …', kinds, get: text(leaf.Log.method) },
  {
    name: 'ringfence.ssh.fingerprint',
    type: 'string',
    doc: 'Fingerprint of the key of a login: SHA256:….',
    kinds,
    get: text(leaf.Log.fingerprint),
  },
  { name: 'ringfence.log.tty', type: 'string', doc: 'Terminal that the line names.', kinds, get: text(leaf.Log.tty) },
  {
    name: 'host.hostname',
    type: 'string',
    doc: 'Name of the host.',
    kinds: ['host_context'],
    get: bodyText(leaf.HostContext.hostname),
  },
  {
    name: 'host.ip',
    type: 'strings',
    doc: 'Addresses of its interfaces, without loopback.',
    kinds: ['host_context'],
    get: (event) => (addresses(event) === '' ? undefined : addresses(event).split(' ')),
  },
];
