import { type EventView, KIND, leaf, u64ToBigInt } from '@ringfence/wire';
import { accessor, bodyLong, bodyText, type Field, nonEmpty } from '../field.ts';
import { fileFields } from '../file/file.ts';
import { rawPath } from '../file/raw-path.ts';
import { ioUring } from '../kernel/io-uring.ts';
import { networkFields } from '../network/network.ts';
import { anyOf, falco, never } from './define.ts';

const net = (name: string): Field['get'] => accessor(networkFields, name);
const sourceIp = net('source.ip');
const destinationIp = net('destination.ip');
const sourcePort = net('source.port');
const destinationPort = net('destination.port');
const sourceDomain = net('source.domain');
const destinationDomain = net('destination.domain');
const networkType = net('network.type');
const direction = net('network.direction');
const fileType = accessor(fileFields, 'file.type');

const result = bodyLong(leaf.Open.result);
const submitted = bodyLong(leaf.IoUring.result);
const copied = bodyLong(leaf.Redirect.result);
const openPath = bodyText(leaf.Open.pathBytes);
const device = { open: bodyLong(leaf.Open.device), change: bodyLong(leaf.FileChange.device) };

const FILES = ['open'];
const ENDS = ['connect', 'accept', 'flow', 'datagram', 'packet', 'socket', 'redirect', 'io_uring'];
const isFile = ({ cursor }: EventView): boolean => cursor.kind === KIND.Open;
const CHARACTERS: Readonly<Record<string, string>> = {
  pipe: 'p',
  ipv4: '4',
  ipv6: '6',
  unix: 'u',
  netlink: 'o',
  packet: 'o',
};

/** A pipe is opened by its link in /proc/PID/fd. */
const isPipe = (event: EventView): boolean => result(event) >= 0 && openPath(event).startsWith('pipe:[');

/** Falco distinguishes directories and pipes from files only. */
function typeOf(event: EventView): string | undefined {
  if (isFile(event)) return isPipe(event) ? 'pipe' : fileType(event) === 'dir' ? 'directory' : 'file';
  if (ioUring.is(event) && ioUring.openFlags(event) !== undefined) return 'file';
  return networkType(event) as string | undefined;
}

function typeCharacter(event: EventView): string | undefined {
  const type = typeOf(event);
  if (type === 'file') return 'f';
  return type === 'directory' ? 'd' : type && (CHARACTERS[type] ?? 'o');
}

/** 10.0.0.1:40000->10.0.0.2:443, or the destination alone if the source is unknown. */
function tupleOf(event: EventView): string | undefined {
  const end = (address: unknown, port: unknown): string => `${address}:${port ?? 0}`;
  const [source, destination] = [sourceIp(event), destinationIp(event)];
  if (destination === undefined) return undefined;
  const to = end(destination, destinationPort(event));
  return source === undefined ? to : `${end(source, sourcePort(event))}->${to}`;
}

/** The side that accepts connections is the destination. */
const isServer = (event: EventView): boolean =>
  event.cursor.kind === KIND.Socket ||
  (ioUring.is(event) ? sourceIp(event) !== undefined : direction(event) === 'ingress');
const local =
  (source: Field['get'], destination: Field['get']): Field['get'] =>
  (event) =>
    (isServer(event) ? destination : source)(event);
const localIp = local(sourceIp, destinationIp);
const remoteIp = local(destinationIp, sourceIp);
const remoteDomain = local(destinationDomain, sourceDomain);
const localPort = local(sourcePort, destinationPort);
const remotePort = local(destinationPort, sourcePort);

function descriptorOf(event: EventView): number | undefined {
  if (isFile(event)) return Math.max(-1, result(event));
  if (event.cursor.kind === KIND.Redirect) return Math.max(-1, copied(event));
  return ioUring.openFlags(event) === undefined ? undefined : Math.max(-1, submitted(event));
}

const deviceOf = (event: EventView): number => (isFile(event) ? device.open : device.change)(event);
const changed = ['open', 'file_change'];
const MINOR_BITS = 20;
const MINOR_LOW = 0xff;

/** As user space writes a device: low byte of the minor number, the major one, the rest of the minor one. */
function userDevice(event: EventView): number {
  const minor = deviceOf(event) & ((1 << MINOR_BITS) - 1);
  return ((deviceOf(event) >>> MINOR_BITS) << 8) | (minor & MINOR_LOW) | ((minor & ~MINOR_LOW) << 12);
}

const SERVICES = 'names of services are not looked up; compare the port';

/** fd: the file of an open, the ends of connections and sockets. */
export const falcoFdFields: readonly Field[] = [
  falco('fd.num', 'number', 'Descriptor that an open or dup returned; -1: the call failed.', descriptorOf, {
    kinds: ['open', 'io_uring', 'redirect'],
  }),
  falco('fd.type', 'string', 'file, directory, pipe, ipv4, ipv6, unix, …', typeOf, { kinds: [...FILES, ...ENDS] }),
  falco('fd.typechar', 'string', 'f file, d directory, p pipe, 4 and 6 IP, u unix, o others.', typeCharacter, {
    kinds: [...FILES, ...ENDS],
    values: { open: ['f', 'd', 'p'] },
  }),
  falco('fd.tuple', 'string', 'Both ends of a connection: 10.0.0.1:40000->10.0.0.2:443.', tupleOf, { kinds: ENDS }),
  falco(
    'fd.nameraw',
    'string',
    'Path of an open as the caller passed it, without repeated slashes; through io_uring the path as submitted, after its directory.',
    (event) => (isFile(event) ? rawPath(event)?.replaceAll(/\/{2,}/g, '/') : nonEmpty(ioUring.path(event))),
    { kinds: ['open', 'io_uring'], optional: 'raw paths' },
  ),
  falco('fd.lip', 'ip', 'Own address.', localIp, { kinds: ENDS }),
  falco('fd.rip', 'ip', "The other end's address.", remoteIp, { kinds: ENDS }),
  falco('fd.rip.name', 'strings', "Names of the other end's address, from DNS answers.", remoteDomain, { kinds: ENDS }),
  falco('fd.lnet', 'ip', 'Own address.', localIp, { kinds: ENDS }),
  falco('fd.rnet', 'ip', "The other end's address.", remoteIp, { kinds: ENDS }),
  falco('fd.lport', 'number', 'Own port.', localPort, { kinds: ENDS }),
  falco('fd.rport', 'number', "The other end's port.", remotePort, { kinds: ENDS }),
  falco('fd.is_server', 'bool', 'The local end is the one that was connected to.', isServer, { kinds: ENDS }),
  falco(
    'fd.sockfamily',
    'string',
    'ip or unix.',
    (event) => {
      const type = networkType(event);
      return type === 'ipv4' || type === 'ipv6' ? 'ip' : type === 'unix' ? type : undefined;
    },
    { kinds: ENDS },
  ),
  falco(
    'fd.connected',
    'bool',
    'Always false on datagrams: each datagram has its own destination.',
    (event) => remotePort(event) !== undefined,
    {
      kinds: ['connect', 'accept', 'datagram', 'redirect'],
      constants: { connect: true, accept: true, datagram: false },
    },
  ),
  falco('fd.name_changed', 'bool', 'Always true on datagrams: an event is sent when the ends are new.', () => true, {
    kinds: ['connect', 'accept', 'datagram'],
    constants: { connect: true, accept: true, datagram: true },
  }),
  falco('fd.uid', 'string', 'Thread and descriptor of an open.', (event) => `${event.cursor.tid}${result(event)}`, {
    kinds: ['open'],
  }),
  falco('fd.dev', 'number', 'Device number of the file system, as stat shows it.', userDevice, { kinds: changed }),
  falco(
    'fd.dev.major',
    'number',
    'Major device number of the file system.',
    (event) => deviceOf(event) >>> MINOR_BITS,
    { kinds: changed },
  ),
  falco(
    'fd.dev.minor',
    'number',
    'Minor device number of the file system.',
    (event) => deviceOf(event) & ((1 << MINOR_BITS) - 1),
    {
      kinds: changed,
    },
  ),
  falco(
    'fd.ino',
    'number',
    'Inode number.',
    ({ cursor }) =>
      Number(
        u64ToBigInt(cursor.buffer, cursor.leafAt(cursor.kind === KIND.Open ? leaf.Open.inode : leaf.FileChange.inode)),
      ),
    { kinds: changed },
  ),
  ...never('local addresses are not looked up', 'fd.lip.name'),
  ...never(SERVICES, 'fd.proto fd.cproto fd.sproto fd.lproto fd.rproto'),
  ...never('the overlay layer of opened files is not recorded', 'fd.is_upper_layer fd.is_lower_layer'),
  ...never('the open descriptors of a process are not recorded', 'fd.types'),
  ...never(
    'waits for descriptors are not recorded',
    'fdlist.nums fdlist.names fdlist.cips fdlist.sips fdlist.cports fdlist.sports',
  ),
];

/** Prefixes a value with the id of the container. */
const inContainer =
  (get: Field['get']): Field['get'] =>
  (event) => {
    const value = get(event);
    return value === undefined ? undefined : `${event.container?.id.slice(0, 12) ?? ''}:${value}`;
  };

/** Fields that stand for several fields. */
export function falcoFdUnions(fields: readonly Field[]): readonly Field[] {
  const name = anyOf(
    'fd.name',
    'string',
    'Path of the file or of the unix socket, or both ends of the connection.',
    fields,
    'file.path',
    'network.unix.path',
    'falco.fd.tuple',
  );
  const directory = accessor(fileFields, 'file.directory');
  return [
    name,
    anyOf('fd.ip', 'ip', 'Address of either end.', fields, 'destination.ip', 'source.ip'),
    anyOf('fd.net', 'ip', 'Address of either end.', fields, 'destination.ip', 'source.ip'),
    anyOf('fd.cnet', 'ip', 'Address that connected or sent.', fields, 'source.ip'),
    anyOf('fd.snet', 'ip', 'Address that was connected or sent to.', fields, 'destination.ip'),
    anyOf('fd.port', 'number', 'Port of either end.', fields, 'destination.port', 'source.port'),
    falco(
      'fd.containername',
      'string',
      'Id of the container and fd.name: 3ad7b26ded6d:/etc/passwd.',
      inContainer(name.get),
      {
        kinds: ['open', 'file_change', ...ENDS],
      },
    ),
    falco('fd.containerdirectory', 'string', 'Id of the container and directory of the file.', inContainer(directory), {
      kinds: ['open', 'file_change', 'io_uring'],
    }),
  ];
}
