import {
  type Exec,
  KIND,
  type KindName,
  LANE,
  records,
  type Throttled,
  U64_ZERO,
  u64FromBigInt,
} from '@ringfence/wire';
import { addressBytes, bodyOf, type EventValues, probeArgument, text, type Words } from './body.ts';
import { containerBody } from './container-body.ts';
import { type ExecValues, execBody } from './exec-body.ts';
import type {
  AcceptValues,
  ChangeValues,
  ConnectValues,
  ContainerValues,
  CredentialValues,
  HashValues,
  MountChangeValues,
  OpenValues,
  ProcessAccessValues,
  SocketValues,
} from './host-values.ts';
import { credentialsOf, SyntheticProcess } from './process.ts';
import { EventStream, type SyntheticHostOptions } from './stream.ts';

/** Flags of open(2) on x86-64 and arm64. */
export const O = { RDONLY: 0, WRONLY: 1, RDWR: 2, CREAT: 0o100, TRUNC: 0o1000, APPEND: 0o2000 } as const;

type FileOperation = keyof typeof records.FileOperation extends `FILE_${infer Name}` ? Name : never;
type MountOperation = keyof typeof records.MountOperation extends `MOUNT_${infer Name}` ? Name : never;

const REGULAR = 0o100644;
const ID_STAYS = 0xffff_ffff;
const HOST_CGROUP = 1n;
const EVERY_ADDRESS = Buffer.alloc(4);

/**
 * A host that exists only in memory. Each call adds one event, as the sensor and the collector would send it; `batch`
 * signs the events so far. The same calls return the same bytes if the key is the same.
 */
export class SyntheticHost extends EventStream {
  /** Pid 1. */
  readonly init: SyntheticProcess = new SyntheticProcess(1, 1_000_000_000n, undefined, HOST_CGROUP);
  #nextPid = 100;
  readonly #inodes = new Map<string, bigint>();

  /** `parent` forks. Returns the child. */
  fork(
    parent: SyntheticProcess = this.init,
    options: { readonly pid?: number; readonly cgroup?: bigint; readonly flags?: bigint } = {},
  ): SyntheticProcess {
    const pid = options.pid ?? this.#nextPid++;
    const child = new SyntheticProcess(pid, BigInt(this.ktime) * 1000n, parent, options.cgroup ?? parent.cgroup);
    const { flags = 0n } = options;
    const body = { parentTgid: parent.tgid, parentStart: parent.startBytes, namespaces: child.namespaces };
    return this.add(child, 'Fork', { ...body, flags: u64FromBigInt(flags) }, { lane: LANE.security });
  }

  /** `process` executes `path`. @default argv: the path alone */
  exec(process: SyntheticProcess, path: Words, values: ExecValues = {}): SyntheticProcess {
    process.execId++;
    process.credentials = values.credentials ?? process.credentials;
    return this.add(process, 'Exec', this.#execBody(process, path, values), { lane: LANE.security });
  }

  /** `parent` forks, and the child executes `path`. Returns the child. */
  spawn(parent: SyntheticProcess, path: Words, argv?: readonly string[], values: ExecValues = {}): SyntheticProcess {
    const child = this.fork(parent);
    return this.exec(child, path, argv === undefined ? values : { ...values, argv });
  }

  /** The sensor found `process` running when it started. */
  snapshot(process: SyntheticProcess, path: Words, values: ExecValues = {}): SyntheticProcess {
    const body = this.#execBody(process, path, { ...values, snapshot: true });
    return this.add(process, 'Exec', body, { lane: LANE.context, cpu: 0 });
  }

  /** Returns a process without an event: the sensor has not seen its start. */
  unseen(parent: SyntheticProcess | undefined = this.init, pid: number = this.#nextPid++): SyntheticProcess {
    return new SyntheticProcess(pid, BigInt(this.ktime) * 1000n, parent, parent?.cgroup ?? HOST_CGROUP);
  }

  exit(process: SyntheticProcess, code = 0, signal = 0): void {
    const duration = this.ktime - Number(process.start / 1000n);
    this.add(process, 'Exit', { code, signal, core: false, duration }, { lane: LANE.security });
  }

  credentials(process: SyntheticProcess, after: number | CredentialValues): void {
    const before = process.credentials;
    process.credentials = typeof after === 'number' ? credentialsOf(after) : { ...before, ...after };
    this.add(process, 'CredentialsChange', { before, after: process.credentials }, { lane: LANE.security });
  }

  open(process: SyntheticProcess, path: Words, flags: number = O.RDONLY, values: OpenValues = {}): void {
    const result = values.result ?? 3;
    const body = {
      device: 8,
      mode: result < 0 ? 0 : REGULAR,
      sourceCaller: result < 0,
      received: false,
      created: false,
      realDevice: 0,
      generation: 0,
      ...values,
      flags,
      result,
      inode: u64FromBigInt(values.inode ?? this.inodeOf(path)),
      path: text(path),
      reached: text(values.reached ?? ''),
      rawPath: text(values.rawPath ?? ''),
      realInode: u64FromBigInt(values.realInode ?? 0n),
    };
    this.add(process, 'Open', body, { lane: LANE.bulk });
  }

  /** `process` changes a name, an attribute or the content of a file: `RENAME`, `CHMOD`, … */
  change(process: SyntheticProcess, operation: FileOperation, path: Words, values: ChangeValues = {}): void {
    const body = {
      device: 0,
      result: 0,
      mode: 0,
      uid: ID_STAYS,
      gid: ID_STAYS,
      flags: 0,
      sourceCaller: true,
      special: 0,
      ...values,
      operation: records.FileOperation[`FILE_${operation}`],
      inode: u64FromBigInt(values.inode ?? 0n),
      length: u64FromBigInt(values.length ?? 0n),
      path: text(path),
      target: text(values.target ?? ''),
      rawPath: text(values.rawPath ?? ''),
      rawTarget: text(values.rawTarget ?? ''),
    };
    this.add(process, 'FileChange', body, { lane: LANE.bulk });
  }

  /** `process` changes the mounts or its root: `MOUNT`, `CHROOT`, … */
  mountChange(process: SyntheticProcess, operation: MountOperation, values: MountChangeValues = {}): void {
    const { source = '', target = '', filesystem = '', options = '' } = values;
    const body = {
      result: 0,
      flags: 0,
      sourceCaller: true,
      attributes: 0,
      cleared: 0,
      ...values,
      operation: records.MountOperation[`MOUNT_${operation}`],
      source: text(source),
      target: text(target),
      filesystem: text(filesystem),
      options: text(options),
    };
    this.add(process, 'MountChange', body, { lane: LANE.security });
  }

  /** `process` connects. @param address dotted IPv4, raw bytes (16: IPv6), or a path from / on (unix socket) */
  connect(process: SyntheticProcess, address: Words, port = 0, values: ConnectValues = {}): void {
    const unix = typeof address === 'string' && address.startsWith('/');
    const bytes = unix ? Buffer.alloc(0) : addressBytes(address);
    const family = unix ? 1 : bytes.length === 16 ? 10 : 2;
    const protocol = unix ? 0 : 6;
    const path = text(unix ? address : '');
    const local = { localPort: 0, ...values, localAddress: addressBytes(values.localAddress ?? Buffer.alloc(0)) };
    const body = { family, type: 1, protocol, result: 0, ...local, address: bytes, port, path };
    this.add(process, 'Connect', body, { lane: LANE.security });
  }

  /** `process` accepts a connection from `peer` to `local`; addresses as for `connect`. */
  accept(
    process: SyntheticProcess,
    peer: { readonly address: Words; readonly port: number },
    local: { readonly address: Words; readonly port: number },
    values: AcceptValues = {},
  ): void {
    const address = addressBytes(peer.address);
    const fixed = { family: address.length === 16 ? 10 : 2, type: 1, protocol: 6, result: 4 };
    const ends = { address, port: peer.port, localAddress: addressBytes(local.address), localPort: local.port };
    this.add(process, 'Accept', { ...fixed, ...values, ...ends }, { lane: LANE.bulk });
  }

  /** Adds an event of any kind. A field without a value is 0, false or empty. */
  event(process: SyntheticProcess, kind: KindName, values: EventValues = {}): void {
    this.add(process, kind, bodyOf(kind, values), { lane: LANE.security });
  }

  /** `process` accesses `target`. @default values: PTRACE_ATTACH */
  access(process: SyntheticProcess, target: SyntheticProcess, values: ProcessAccessValues = {}): void {
    const fixed = { address: U64_ZERO, length: U64_ZERO, operation: 1, request: 16, result: 0, count: 1 };
    const ids = { targetTgid: target.tgid, targetStart: target.startBytes };
    this.add(process, 'ProcessAccess', { ...fixed, ...values, ...ids }, { lane: LANE.security });
  }

  /** `process` creates or uses a socket. @param values `operation` is enum rf_socket_operation */
  socket(process: SyntheticProcess, values: SocketValues = {}): void {
    const none = { address: Buffer.alloc(0), port: 0, contextId: 0, backlog: 0, sourceCaller: false };
    const fixed = { family: 2, type: 1, protocol: 0, operation: 1, result: 3, ...none };
    this.add(process, 'Socket', { ...fixed, ...values, path: text(values.path ?? '') }, { lane: LANE.security });
  }

  /** `process` begins to listen on a TCP port. @default on every address */
  listen(process: SyntheticProcess, port: number, address: Buffer = EVERY_ADDRESS): void {
    this.socket(process, { operation: records.SocketOperation.SOCKET_LISTEN, result: 0, port, address });
  }

  /** A user types a line into the shell. */
  shellLine(process: SyntheticProcess, line: string): void {
    this.add(process, 'ShellLine', { tty: 0x8800000, sourceCaller: true, line: text(line) }, { lane: LANE.security });
  }

  /** `process` asked PAM. `result`: PAM_*, 0 is success. */
  authenticate(process: SyntheticProcess, service: string, user: string, result = 0, remoteHost = ''): void {
    const texts = { service: text(service), user: text(user), remoteHost: text(remoteHost), tty: text('') };
    this.add(process, 'Authentication', { result, sourceCaller: true, ...texts }, { lane: LANE.security });
  }

  /** `process` gave data to libssl (`egress`), or got data from it. */
  tls(process: SyntheticProcess, egress: boolean, payload: string): void {
    this.add(process, 'TlsData', { egress, payload: text(payload) }, { lane: LANE.bulk });
  }

  /** A user-defined probe fired. Numbers are sent as signed ones, all other values as text. */
  probe(process: SyntheticProcess, name: string, values: Readonly<Record<string, string | number>>): void {
    const parts = Object.entries(values).map(([argument, value]) => probeArgument(argument, value));
    const body = { place: 1, sourceCaller: true, name: text(name), arguments: text(Buffer.concat(parts)) };
    this.add(process, 'Probe', body, { lane: LANE.bulk });
  }

  user(uid: number, name: string): void {
    this.#context('UserContext', { uid, name });
  }

  /** Reports the container of a cgroup; `id: ''` reports that it is gone. */
  container(values: ContainerValues): void {
    this.#context('ContainerContext', containerBody(values));
  }

  mount(point: string): void {
    const body = {
      mountNamespace: 4026531841,
      device: 8,
      root: Buffer.from('/'),
      point: Buffer.from(point),
      filesystem: 'ext4',
      source: Buffer.from('/dev/sda1'),
      options: 'rw',
    };
    this.#context('MountContext', body);
  }

  /** The agent reports that it hashes executables. */
  hashes(): void {
    this.#context('HostContext', { hostname: 'web-1', machineId: '', addresses: '', hashing: true });
  }

  /** The agent reports the hash of an executable, or the reason why it has none. @param process undefined: file only */
  hash(process: SyntheticProcess | undefined, path: Words, values: HashValues = {}): void {
    const { sha256 = '', skipped = '', ctime = this.wallOffset, ...rest } = values;
    const file = { inode: u64FromBigInt(this.inodeOf(path)), device: 8, ctime, size: 100, path: text(path) };
    const body = { ...file, lasting: true, script: false, ...rest, sha256: Buffer.from(sha256, 'hex'), skipped };
    this.add(process, 'Hash', body, { lane: LANE.context, cpu: 0 });
  }

  /** A check of the host's integrity reports a finding. */
  finding(check: string, subject: string, detail = 'unexpected', list = ''): void {
    this.#context('Finding', { check, subject, detail, list });
  }

  /** The agent reports events of a cgroup that were throttled, or lost in a full ring. */
  throttled(values: Partial<Throttled>): void {
    const flood = {
      ofLane: LANE.security,
      ofKind: 'exec',
      count: 1,
      cause: 'throttled',
      path: '',
      total: 1,
      over: false,
    };
    this.#context('Throttled', { ...flood, ...values });
  }

  /** Lets `seconds` pass, then adds the collector's tick. */
  tick(seconds = 1, last = false): void {
    this.ktime += seconds * 1_000_000;
    this.add(undefined, 'Tick', { wallOffset: this.wallOffset, last }, { lane: LANE.tick, cpu: 0 });
  }

  /** Returns the inode of a path: the same one for the same path. */
  inodeOf(path: Words): bigint {
    const name = typeof path === 'string' ? path : Buffer.from(path).toString('latin1');
    const known = this.#inodes.get(name) ?? BigInt(1000 + this.#inodes.size);
    this.#inodes.set(name, known);
    return known;
  }

  #execBody(process: SyntheticProcess, path: Words, values: ExecValues): Exec {
    return execBody(process, { path, inode: this.inodeOf(path), changedAt: this.wallOffset }, values);
  }

  #context(kind: KindName, body: object): void {
    this.add(undefined, kind, body, { lane: LANE.context, cpu: 0 });
  }

  /** Names of all kinds, for tests that cover each kind. */
  static readonly kinds: readonly KindName[] = Object.keys(KIND) as KindName[];
}

export function createSyntheticHost(options: SyntheticHostOptions = {}): SyntheticHost {
  return new SyntheticHost(options);
}
