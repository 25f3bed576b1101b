import { constants as file } from 'node:fs';
import type { Preparation } from './prepare.ts';
import type { Scene, SceneField } from './scene.ts';

/** A call of test/kernel/programs/actor.c: its name and words. */
export type Call = readonly (string | number)[];
/** Why an event is not performed. */
export interface Unperformed {
  readonly why: string;
}
type Performed = Call | Unperformed;

/** Folders that a sandbox has for itself: only there may files be made. */
const OWN = /^\/(etc|home|mnt|opt|root|srv|usr|var|tmp|run)(\/.|$)/;
const FAMILIES: Readonly<Record<string, number>> = {
  AF_INET: 2,
  AF_INET6: 10,
  AF_NETLINK: 16,
  AF_PACKET: 17,
  AF_ALG: 38,
};
const TYPES: Readonly<Record<string, number>> = { stream: 1, datagram: 2, raw: 3, seqpacket: 5 };
/** MS_BIND */
const BIND = 4096;
const MOST_PACKETS = 100;

const why = (text: string): Unperformed => ({ why: text });

/** Returns why a path can't be used, unless the sandbox has its folder for itself. */
export const foreign = (path: string): Unperformed | undefined =>
  OWN.test(path) && !path.includes('//')
    ? undefined
    : why(`a sandbox shares ${path.split('/', 2).join('/') || path} with this machine`);

/** Returns the call that makes an event other than an exec happen, and prepares what it needs. */
export function callOf(scene: Scene, prepared: Preparation): Performed {
  const action = scene.text('event.action');
  const failed = scene.text('event.outcome') === 'failure';
  if (failed && action !== 'connect') return why('its call fails for a reason that the sandbox does not have');
  const call = CALLS[action];
  return call === undefined ? why(OTHER[action] ?? `nothing here performs ${action}`) : call(scene, prepared);
}

/** Reasons for events that no call of a program makes. */
const OTHER: Readonly<Record<string, string>> = {
  authentication: 'a library makes it, not a call',
  shell_line: 'a library makes it, not a call',
  module_load: 'it would change the running kernel',
  integrity: 'the agent makes it, not a call',
  host_silent: 'the agent makes it, not a call',
  flow: 'it takes a gigabyte or an hour',
  capability: 'the right is used by a call that changes the machine',
};

const onFile =
  (name: string, more: (scene: Scene) => Call = () => []) =>
  (scene: Scene, prepared: Preparation): Performed => {
    const path = scene.text('file.path');
    const refused = foreign(path);
    if (refused !== undefined) return refused;
    if (name === 'rmdir') prepared.folder(path);
    else if (name === 'mkdir') prepared.parent(path);
    else prepared.file(path);
    return [name, path, ...more(scene)];
  };

const onTwoFiles =
  (name: string, isFromTarget: boolean) =>
  (scene: Scene, prepared: Preparation): Performed => {
    const [path, target] = [scene.text('file.path'), scene.text('file.target_path')];
    const [from, to] = isFromTarget ? [target, path] : [path, target];
    const refused = (name === 'symlink' ? undefined : foreign(from)) ?? foreign(to);
    if (refused !== undefined) return refused;
    if (name !== 'symlink') prepared.file(from);
    prepared.parent(to);
    return [name, from, to];
  };

const CALLS: Readonly<Record<string, (scene: Scene, prepared: Preparation) => Performed>> = {
  open: openCall,
  rename: onTwoFiles('rename', false),
  symlink: onTwoFiles('symlink', true),
  link: onTwoFiles('link', false),
  unlink: onFile('unlink'),
  rmdir: onFile('rmdir'),
  mkdir: onFile('mkdir'),
  truncate: onFile('truncate'),
  chmod: onFile('chmod', (scene) => [scene.number('file.mode')]),
  connect: connectCall,
  datagram: datagramCall,
  dns: dnsCall,
  mount: mountCall,
  redirect(scene, prepared) {
    if (scene.text('network.direction') !== 'egress') return why('another machine connects');
    const [ip, port] = [scene.text('destination.ip'), scene.number('destination.port')];
    prepared.address(ip);
    prepared.listener(ip, port);
    return ['redirect', ip, port, scene.number('redirect.descriptor')];
  },
  socket(scene) {
    const [family, type] = [
      FAMILIES[scene.text('ringfence.socket.family')],
      TYPES[scene.text('ringfence.socket.type')] ?? 3,
    ];
    if (family === undefined) return why('this kernel lacks the family of its socket');
    return ['socket', family, type, scene.number('ringfence.socket.protocol')];
  },
};

function openCall(scene: Scene, prepared: Preparation): Performed {
  if (scene.text('io_uring.operation') !== '') return why('io_uring makes it, not a call');
  const path = scene.text('file.path');
  const refused = foreign(path);
  if (refused !== undefined) return refused;
  const flag = (name: SceneField, value: number): number => (scene.is(name) ? value : 0);
  const write = scene.is('file.open.write');
  const access = write ? (scene.is('file.open.read') ? file.O_RDWR : file.O_WRONLY) : file.O_RDONLY;
  const flags =
    access |
    flag('file.open.truncate', file.O_TRUNC) |
    flag('file.open.append', file.O_APPEND) |
    flag('file.open.create', file.O_CREAT);
  const type = scene.text('file.type');
  if (type === 'dir') prepared.folder(path);
  else if (type === 'fifo') prepared.pipe(path);
  else prepared.file(path, scene.number('user.id') === 0 ? scene.number('file.mode') & 0o777 : 0);
  // A pipe that nobody reads lets a writer wait.
  return ['open', path, type === 'fifo' ? file.O_RDWR : flags, prepared.isProgram(path) ? 1 : 0];
}

function connectCall(scene: Scene, prepared: Preparation): Performed {
  const socket = scene.text('network.unix.path');
  if (socket !== '') {
    const refused = foreign(socket);
    if (refused !== undefined) return refused;
    prepared.unixSocket(socket);
    return ['connect_unix', socket];
  }
  const [ip, port] = [scene.text('destination.ip'), scene.number('destination.port')];
  prepared.address(ip);
  const isUdp = scene.text('network.transport') === 'udp';
  if (scene.text('event.outcome') !== 'failure' && !isUdp) prepared.listener(ip, port);
  return [isUdp ? 'connect_udp' : 'connect', ip, port];
}

function datagramCall(scene: Scene, prepared: Preparation): Performed {
  if (scene.text('network.direction') !== 'egress') return why('another machine sends it');
  if (scene.number('network.packets') > MOST_PACKETS) return why('it is a flood');
  const ip = scene.text('destination.ip');
  prepared.address(ip);
  return ['datagram', ip, scene.number('destination.port'), '00'];
}

/** A query for an address (A) of the name. */
function dnsCall(scene: Scene, prepared: Preparation): Performed {
  if (scene.text('dns.type') !== 'query') return why('a name server makes it, not a call');
  const text = scene.text('dns.question.name').replaceAll(/\\(\d{3})/g, (_, code) => String.fromCharCode(Number(code)));
  const labels = text.split('.');
  const name = labels.map((label) => String.fromCharCode(label.length) + label).join('');
  const query = Buffer.from(`\0\x01\x01\0\0\x01\0\0\0\0\0\0${name}\0\0\x01\0\x01`, 'latin1');
  return ['datagram', prepared.network(), 53, query.toString('hex')];
}

function mountCall(scene: Scene, prepared: Preparation): Performed {
  const [source, target] = [scene.text('mount.source'), scene.text('mount.target')];
  if (!scene.list('mount.flags').includes('bind')) return why('it mounts a disk or a kernel file system');
  const refused = foreign(source) ?? foreign(target);
  if (refused !== undefined) return refused;
  prepared.file(source);
  prepared.file(target);
  return ['mount', source, target, '', BIND];
}
