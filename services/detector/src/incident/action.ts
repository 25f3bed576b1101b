import { catalogue, type Field } from '@ringfence/fields';
import {
  addressText,
  type EventView,
  escapeText,
  type IncidentAction,
  KIND,
  type KindName,
  kindName,
  leaf,
  type ProcessInfo,
  type ProcessName,
} from '@ringfence/wire';
import { argsText, userText } from '../steps/build-alert.ts';

const VALUE_MAX = 160;
const PATH_MAX = 256;
const USER_MAX = 64;

export const short = (text: string, max: number): string => (text.length > max ? `${text.slice(0, max)}…` : text);

/** Returns a path for people: escaped and cut. */
export const pathText = (path: string): string => short(escapeText(path), PATH_MAX);

export const processName = (process: ProcessInfo): ProcessName => ({
  entityId: process.entityId,
  pid: process.pid,
  executable: pathText(process.executable),
  user: userText(process).slice(0, USER_MAX),
});

/** Fields of the objects of an action, by the kind of the event. The objects of an exec come from `execObjects`. */
const OBJECTS: Readonly<Record<Exclude<KindName, 'Exec'>, readonly string[]>> = {
  Fork: [],
  Exit: [],
  CredentialsChange: ['user.before.effective.id', 'user.changes.effective.id'],
  Open: ['file.path', 'file.reached_path', 'file.open.write'],
  Connect: ['destination.ip', 'destination.port', 'network.unix.path'],
  Tick: [],
  Gap: [],
  UserContext: [],
  ContainerContext: [],
  MountContext: [],
  Log: ['log.syslog.appname', 'message', 'log.origin', 'event.provider', 'rule.name', 'log.level'],
  HostContext: [],
  Accept: ['source.ip', 'source.port'],
  FileChange: ['file.path', 'file.target_path', 'file.xattr'],
  MountChange: ['mount.source', 'mount.target'],
  Memory: ['memory.protection', 'memory.path'],
  Signal: ['signal.name', 'process.target.pid'],
  Fault: ['signal.name'],
  ProcessAccess: ['ptrace.request', 'process.target.pid'],
  Isolation: ['process.clone.flags'],
  Capability: ['capability.name'],
  Module: ['kernel.module.name', 'kernel.module.path'],
  Bpf: ['bpf.command', 'bpf.program.type', 'bpf.name', 'bpf.path'],
  SystemChange: ['system.text'],
  Sysctl: ['sysctl.name', 'sysctl.value'],
  IoUring: ['file.path', 'file.reached_path', 'destination.ip', 'destination.port'],
  Socket: ['network.unix.path', 'ringfence.socket.family', 'destination.port'],
  Datagram: ['destination.ip', 'destination.port', 'network.unix.path'],
  Packet: ['network.protocol', 'dns.question.name', 'tls.client.server_name'],
  Flow: ['destination.ip', 'destination.port'],
  Finding: ['integrity.check', 'integrity.subject', 'integrity.detail'],
  Authentication: ['ringfence.pam.service', 'ringfence.pam.user'],
  ShellLine: ['ringfence.shell.line'],
  TlsData: [],
  Hash: [],
  Throttled: ['event.count', 'throttled.kind'],
  Tampering: ['process.target.pid'],
  Probe: ['probe.name'],
  Silence: [],
  Attempt: ['attempt.path'],
  Redirect: ['redirect.descriptor'],
};

interface Reader {
  readonly kind: string;
  readonly fields: readonly (readonly [name: string, get: Field['get']])[];
}

const fieldOf = (name: string): Field => {
  const field = catalogue.fields.find((candidate) => candidate.name === name);
  if (field === undefined) throw new TypeError(`the catalogue has no field ${name}`);
  return field;
};

/** By the number of the kind */
const READERS: ReadonlyMap<number, Reader> = new Map(
  (Object.entries(OBJECTS) as [KindName, readonly string[]][]).map(([name, fields]) => [
    KIND[name],
    { kind: kindName(name), fields: fields.map((field) => [field, fieldOf(field).get] as const) },
  ]),
);
const EXEC: Reader = { kind: kindName('Exec'), fields: [] };
const operation = fieldOf('event.action').get;
const outcome = fieldOf('event.outcome').get;

/** Returns the action of an event as data, for people and programs. */
export function actionOf(event: EventView): IncidentAction {
  const { kind, fields } = READERS.get(event.cursor.kind) ?? EXEC;
  const objects = moreObjects(event);
  for (const [name, get] of fields) {
    const value = get(event);
    if (value === undefined || value === '') continue;
    const text = escapeText(typeof value === 'object' ? value.join('|') : String(value));
    objects[name] = short(text, name.endsWith('path') ? PATH_MAX : VALUE_MAX);
  }
  return { kind, operation: String(operation(event) ?? ''), failed: outcome(event) === 'failure', objects };
}

/** Returns objects that no field has, or has in a form for people. */
function moreObjects(event: EventView): Record<string, string> {
  if (event.cursor.kind === KIND.Exec) return execObjects(event);
  return event.cursor.kind === KIND.Redirect ? redirectObjects(event) : {};
}

/** Returns the other end of the connection, in either direction. */
function redirectObjects({ cursor }: EventView): Record<string, string> {
  const address = addressText(
    cursor.buffer,
    cursor.leafAt(leaf.Redirect.address),
    cursor.leafLength(leaf.Redirect.address),
  );
  const port = cursor.leafLong(leaf.Redirect.port);
  return address === undefined || port === 0 ? {} : { 'peer.ip': address, 'peer.port': String(port) };
}

/** Returns the command line, if it is more than the executable, and the writer of the executable. */
function execObjects(event: EventView): Record<string, string> {
  const { process, writer, writtenAgo } = event;
  const objects: Record<string, string> = {};
  const args = process === undefined ? '' : argsText(process);
  if (process !== undefined && args !== '' && args !== escapeText(process.executable))
    objects['process.command_line'] = short(args, VALUE_MAX);
  if (writtenAgo < 0) return objects;
  objects['process.exec.written_ago'] = String(writtenAgo / 1e6);
  if (writer === undefined) return objects;
  objects['process.exec.writer.executable'] = pathText(writer.executable);
  objects['process.exec.writer.pid'] = String(writer.pid);
  return objects;
}
