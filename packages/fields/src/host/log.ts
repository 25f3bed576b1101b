import { type BytesLeaf, type EventView, KIND, leaf } from '@ringfence/wire';
import { bodyLong, bodyText, type Field, nonEmpty } from '../field.ts';

export const isLog = (event: EventView): boolean => event.cursor.kind === KIND.Log;

type TextReader = (event: EventView) => string | undefined;

function logText(field: BytesLeaf): TextReader {
  const read = bodyText(field);
  return (event) => (isLog(event) ? nonEmpty(read(event)) : undefined);
}

/** Values of log lines for fields that other events fill from other sources; undefined on any other event. */
export const logField: Readonly<
  Record<'category' | 'action' | 'outcome' | 'user' | 'command' | 'workingDirectory', TextReader>
> = {
  category: logText(leaf.Log.category),
  action: logText(leaf.Log.action),
  outcome: logText(leaf.Log.outcome),
  user: logText(leaf.Log.user),
  command: logText(leaf.Log.command),
  workingDirectory: logText(leaf.Log.workingDirectory),
};

const kinds = ['log'];
const text = (field: BytesLeaf): TextReader => {
  const read = bodyText(field);
  return (event) => nonEmpty(read(event));
};
const offset = bodyLong(leaf.Log.offset);
const pid = bodyLong(leaf.Log.pid);
const addresses = bodyText(leaf.HostContext.addresses);

/** Fields of log lines and of host contexts. */
export const logFields: readonly Field[] = [
  {
    name: 'message',
    type: 'string',
    doc: 'Text of the line, up to 16 KiB.',
    aliases: ['syslog.message'],
    kinds,
    get: text(leaf.Log.messageBytes),
  },
  {
    name: 'log.origin',
    type: 'string',
    doc: 'file or journald: read and signed by the agent; http: an alert that another sensor posted to the agent; filebeat: sent by any client that can write to the topic.',
    kinds,
    get: text(leaf.Log.origin),
  },
  {
    name: 'log.file.path',
    type: 'string',
    doc: 'Path of the log file, or the unit in the journal.',
    kinds,
    get: text(leaf.Log.path),
  },
  {
    name: 'log.offset',
    type: 'number',
    doc: 'Offset of the line in its file, bytes.',
    kinds,
    get: (event) => (offset(event) < 0 ? undefined : offset(event)),
  },
  {
    name: 'log.syslog.appname',
    type: 'string',
    doc: 'Program that the line names as its sender: any process can claim to be sshd.',
    kinds,
    get: text(leaf.Log.program),
  },
  {
    name: 'log.syslog.procid',
    type: 'number',
    doc: 'Process id that the line names; with log.origin journald, the process that sent it.',
    kinds,
    get: (event) => (pid(event) === 0 ? undefined : pid(event)),
  },
  {
    name: 'user.target.name',
    type: 'string',
    doc: 'User that a command runs as, that a session begins for, or whose account is changed.',
    kinds,
    get: text(leaf.Log.targetUser),
  },
  { name: 'ringfence.ssh.method', type: 'string', doc: 'password, publickey, …', kinds, get: text(leaf.Log.method) },
  {
    name: 'ringfence.ssh.fingerprint',
    type: 'string',
    doc: 'Fingerprint of the login key: SHA256:….',
    kinds,
    get: text(leaf.Log.fingerprint),
  },
  { name: 'ringfence.log.tty', type: 'string', doc: 'Terminal that the line names.', kinds, get: text(leaf.Log.tty) },
  {
    name: 'event.provider',
    type: 'string',
    doc: 'Sensor whose alert the line is: falco, tetragon. See docs/ALERTS.md.',
    kinds,
    oneOf: ['falco', 'tetragon'],
    get: text(leaf.Log.provider),
  },
  { name: 'rule.name', type: 'string', doc: 'Rule or policy of that sensor.', kinds, get: text(leaf.Log.rule) },
  {
    name: 'log.level',
    type: 'string',
    doc: 'Priority that the sensor gives its alert, in lower case; Tetragon has none.',
    kinds,
    get: text(leaf.Log.level),
  },
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
