import { type EventView, KIND, kindName, layouts, leaf, records } from '@ringfence/wire';
import { isoTime } from '../document.ts';
import { eventFields } from '../event.ts';
import { accessor, bodyLong, type Field } from '../field.ts';
import { rawPaths } from '../file/raw-path.ts';
import { trafficFields } from '../network/traffic.ts';
import { falco, never } from './define.ts';
import { SPELLINGS } from './event-types.ts';

const { EINPROGRESS } = records.Errno;
const { O_CREAT } = records.OpenFlag;
const EXECUTABLE = 0o111;
const KINDS = layouts.map(({ name }) => kindName(name));

const result = accessor(eventFields, 'event.result');
const errorCode = accessor(eventFields, 'error.code');
const category = accessor(eventFields, 'event.category');
const evtType = accessor(eventFields, 'evt.type');
const openFlags = bodyLong(leaf.Open.flags);
const openMode = bodyLong(leaf.Open.mode);

/** Kinds that report successful calls only. */
const WORKED = ['fork', 'exec', 'exit', 'credentials'];
const worked = <T extends string | number | boolean>(value: T): Record<string, T> =>
  Object.fromEntries(WORKED.map((kind) => [kind, value]));
const results = [...(eventFields.find(({ name }) => name === 'event.result')?.kinds ?? []), ...WORKED];
const everywhere = <T extends string | number | boolean>(value: T): { constants: Record<string, T> } => ({
  constants: Object.fromEntries(KINDS.map((kind) => [kind, value])),
});

function failed(event: EventView): boolean {
  const value = result(event);
  return typeof value === 'number' && value < 0 && value !== -EINPROGRESS;
}

function resultName(event: EventView): string {
  return result(event) === -EINPROGRESS ? 'EINPROGRESS' : ((errorCode(event) as string | undefined) ?? 'SUCCESS');
}

const CATEGORIES: Readonly<Record<string, string>> = { network: 'net', iam: 'user', driver: 'system', host: 'system' };

function categoryOf(event: EventView): string | undefined {
  if (event.cursor.kind === KIND.Memory) return 'memory';
  const ours = category(event) as string | undefined;
  return ours && (CATEGORIES[ours] ?? ours);
}

/** Formats as 2026-01-02 03:04:05.123456000, UTC. Times are exact to the microsecond. */
const dateTime = ({ timestamp }: EventView): string => `${isoTime(timestamp).slice(0, -1).replace('T', ' ')}000`;
const seconds = ({ timestamp }: EventView): number => Math.floor(timestamp / 1e6);

const errorOf =
  (...categories: readonly string[]): Field['get'] =>
  (event) =>
    failed(event) && (categories.length === 0 || categories.includes(categoryOf(event) ?? '')) ? 1 : 0;
const count = (name: string, doc: string, get: Field['get']): Field => falco(name, 'number', doc, get);

const duration = accessor(trafficFields, 'event.duration');

/** A latency of connects; it is not measured for other calls. */
function latency(name: string, type: Field['type'], unit: string, of: (nanos: number) => string | number): Field {
  return falco(name, type, `Duration of a connect: ${unit}.`, (event) => of(duration(event) as number), {
    kinds: ['connect'],
  });
}

/** Formats a duration as Falco does: 10.3ms. */
function humanTime(nanos: number): string {
  const units: readonly (readonly [unit: string, nanos: number])[] = [
    ['s', 1e9],
    ['ms', 1e6],
    ['us', 1e3],
  ];
  for (const [unit, size] of units) if (nanos >= size) return `${Number((nanos / size).toFixed(2))}${unit}`;
  return `${nanos}ns`;
}

const CAPTURES = 'events do not belong to a capture';
const BUFFERS = 'reads and writes are not recorded';

/** evt and syscall. */
export const falcoEventFields: readonly Field[] = [
  falco('evt.num', 'number', 'Number of the event in its lane, from 1.', ({ cursor }) => cursor.sequence + 1, {
    least: 1,
  }),
  falco('evt.dir', 'string', 'Each event stands for both the call (>) and its return (<).', () => '<', {
    ...everywhere('<'),
    spellings: { '>': '<' },
  }),
  falco(
    'evt.type.is',
    'number',
    '1 if the event is of this type, else 0.',
    (event, type) => (evtType(event) === (SPELLINGS[String(type)] ?? type) ? 1 : 0),
    { argument: 'key' },
  ),
  falco('evt.res', 'string', 'SUCCESS, or the name of the error: ENOENT.', resultName, {
    kinds: results,
    constants: worked('SUCCESS'),
  }),
  falco('evt.rawres', 'number', 'Return value of the call; 0 on kinds that report successful calls only.', result, {
    kinds: results,
    constants: worked(0),
  }),
  falco('evt.failed', 'bool', 'The call failed.', failed, { kinds: results, constants: worked(false) }),
  falco('evt.category', 'string', 'file, net, process, user, memory, system, …', categoryOf),
  falco('evt.cpu', 'number', 'Number of the CPU.', ({ cursor }) => cursor.cpu),
  falco('evt.source', 'string', 'syscall.', () => 'syscall', everywhere('syscall')),
  falco('evt.is_async', 'bool', 'false.', () => false, everywhere(false)),
  falco('evt.is_syslog', 'bool', 'The event is a log line.', ({ cursor }) => cursor.kind === KIND.Log),
  falco(
    'evt.is_open_exec',
    'bool',
    'The open created an executable file.',
    (event) => (openFlags(event) & O_CREAT) !== 0 && (openMode(event) & EXECUTABLE) !== 0,
    { kinds: ['open'] },
  ),
  falco('evt.time', 'string', 'Time of day, UTC, to the ns.', (event) => dateTime(event).slice(11)),
  falco('evt.time.s', 'string', 'Time of day, UTC.', (event) => dateTime(event).slice(11, 19)),
  falco('evt.time.iso8601', 'string', 'Time as ISO 8601.', (event) => `${dateTime(event).replace(' ', 'T')}Z`),
  falco('evt.datetime', 'string', 'Date and time, UTC, to the ns.', dateTime),
  falco('evt.datetime.s', 'string', 'Date and time, UTC.', (event) => dateTime(event).slice(0, 19)),
  falco('evt.rawtime', 'number', 'ns since the epoch.', ({ timestamp }) => timestamp * 1000),
  falco('evt.rawtime.s', 'number', 'Seconds since the epoch.', seconds),
  falco(
    'evt.rawtime.ns',
    'number',
    'Nanoseconds beyond whole seconds.',
    (event) => (event.timestamp - seconds(event) * 1e6) * 1000,
  ),
  latency('evt.latency', 'number', 'ns', (nanos) => nanos),
  latency('evt.latency.s', 'number', 'whole seconds', (nanos) => Math.floor(nanos / 1e9)),
  latency('evt.latency.ns', 'number', 'nanoseconds beyond whole seconds', (nanos) => nanos % 1e9),
  latency('evt.latency.human', 'string', 'for people', humanTime),
  count('evt.count', '1.', () => 1),
  count('evt.count.exit', '1.', () => 1),
  count('evt.count.error', '1 if the call failed.', errorOf()),
  count('evt.count.error.file', '1 if a call on a file failed.', errorOf('file')),
  count('evt.count.error.net', '1 if a call on the network failed.', errorOf('net')),
  count('evt.count.error.memory', '1 if a call on memory failed.', errorOf('memory')),
  count('evt.count.error.other', '1 if any other call failed.', (event) =>
    failed(event) && !['file', 'net', 'memory'].includes(categoryOf(event) ?? '') ? 1 : 0,
  ),
  falco(
    'fs.path.nameraw',
    'string',
    'Path of the call as the caller passed it; of a call with a descriptor the path of its file.',
    rawPaths.name,
    { kinds: ['open', 'file_change'], optional: 'raw paths' },
  ),
  falco('fs.path.targetraw', 'string', 'fs.path.target as the caller passed it.', rawPaths.target, {
    kinds: ['file_change'],
    optional: 'raw paths',
  }),
  falco('fs.path.sourceraw', 'string', 'fs.path.source as the caller passed it.', rawPaths.source, {
    kinds: ['file_change'],
    optional: 'raw paths',
  }),
  ...never(
    CAPTURES,
    'evt.reltime evt.reltime.s evt.reltime.ns evt.around evt.deltatime evt.deltatime.s evt.deltatime.ns',
  ),
  ...never('waiting times of processes are not measured', 'evt.wait_latency evt.is_wait'),
  ...never(BUFFERS, 'evt.buffer evt.buflen evt.is_io evt.is_io_read evt.is_io_write evt.io_dir'),
  ...never('plugins of Falco do not run here', 'evt.pluginname evt.plugininfo evt.asynctype'),
  ...never('events carry the id of their host, host.id', 'evt.hostname'),
  ...never(
    'the text of log lines is kept, but not their priority',
    'syslog.facility.str syslog.facility syslog.severity.str syslog.severity',
  ),
];
