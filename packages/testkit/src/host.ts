import {
  createSigningKey,
  type Event,
  type Exec,
  IPPROTO,
  KIND,
  type KindName,
  LANE,
  RawBatchWriter,
  records,
  type SigningKey,
  SOCK,
  signBytes,
  typeOf,
  U64_ZERO,
  UNSET_ID,
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
import { credentialsOf, TestProcess } from './process.ts';

/** Flags of open(2) on x86-64 and arm64. */
const { OpenFlag: FLAG } = records;

export const O: Readonly<Record<'RDONLY' | 'WRONLY' | 'RDWR' | 'CREAT' | 'TRUNC' | 'APPEND', number>> = {
  RDONLY: FLAG.O_RDONLY,
  WRONLY: FLAG.O_WRONLY,
  RDWR: FLAG.O_RDWR,
  CREAT: FLAG.O_CREAT,
  TRUNC: FLAG.O_TRUNC,
  APPEND: FLAG.O_APPEND,
};

export interface TestHostOptions {
  readonly hostId?: string;
  readonly bootId?: string;
  readonly run?: bigint;
  readonly key?: SigningKey;
  /** µs, CLOCK_BOOTTIME, of the first event. @default one hour */
  readonly ktime?: number;
  /** µs between events. @default 1000 */
  readonly step?: number;
  /** µs to add to a ktime to get the wall clock. @default 2026-01-01T00:00:00Z at boot */
  readonly wallOffset?: number;
}

/** Where an event is put: everything has a default. */
interface Placement {
  readonly lane: number;
  readonly cpu?: number;
  readonly late?: boolean;
}

type FileOperation = keyof typeof records.FileOperation extends `FILE_${infer Name}` ? Name : never;
type MountOperation = keyof typeof records.MountOperation extends `MOUNT_${infer Name}` ? Name : never;

const REGULAR = 0o100644;
const { AF_UNIX, AF_INET, AF_INET6 } = records.AddressFamily;
const HOST_CGROUP = 1n;
/**
 * A host that exists only in its events: each call adds one, in order, as the sensor and the collector would send it; `batch` signs what was
 * gathered. The same calls give the same bytes, but for the signature's key when none is given.
 */
export class TestHost {
  readonly hostId: string;
  readonly bootId: string;
  readonly key: SigningKey;
  readonly run: Buffer;
  readonly wallOffset: number;
  /** µs, of the next event */
  ktime: number;
  step: number;
  /** the CPU that the next events happen on */
  cpu = 0;
  /** that the next batches were filtered with. @default 0: none */
  interestVersion = 0;
  /** events come late, from now on; their `ktime` says how much */
  late = false;
  /** pid 1, /usr/lib/systemd/systemd, found at start by the first call that needs it */
  readonly init: TestProcess;
  #nextPid = 100;
  readonly #sequences = new Map<string, number>();
  readonly #drops = new Map<string, Record<string, number>>();
  readonly #writer: RawBatchWriter;
  readonly #events = typeOf('Event');
  readonly #inodes = new Map<string, bigint>();

  constructor(options: TestHostOptions = {}) {
    this.hostId = options.hostId ?? '00000000-0000-4000-8000-000000000001';
    this.bootId = options.bootId ?? '00000000-0000-4000-8000-0000000000b0';
    this.key = options.key ?? createSigningKey();
    this.run = u64FromBigInt(options.run ?? 0x1122334455667788n);
    this.wallOffset = options.wallOffset ?? Date.UTC(2026, 0, 1) * 1000;
    this.ktime = options.ktime ?? 3_600_000_000;
    this.step = options.step ?? 1000;
    this.#writer = new RawBatchWriter({ ...this, agentVersion: '0.1.0' });
    this.init = new TestProcess(1, 1_000_000_000n, undefined, HOST_CGROUP);
  }

  /** Events gathered since the last batch. */
  get count(): number {
    return this.#writer.count;
  }

  /** A new process of `parent`, seen starting. */
  fork(
    parent: TestProcess = this.init,
    options: { readonly pid?: number; readonly cgroup?: bigint } = {},
  ): TestProcess {
    const pid = options.pid ?? this.#nextPid++;
    const child = new TestProcess(pid, BigInt(this.ktime) * 1000n, parent, options.cgroup ?? parent.cgroup);
    const body = { parentTgid: parent.tgid, parentStart: parent.startBytes, namespaces: child.namespaces };
    return this.#add(child, 'Fork', body, { lane: LANE.security });
  }

  /** `process` runs `path`; its arguments are the path alone unless given. */
  exec(process: TestProcess, path: Words, values: ExecValues = {}): TestProcess {
    process.execId++;
    process.credentials = values.credentials ?? process.credentials;
    return this.#add(process, 'Exec', this.#execBody(process, path, values), { lane: LANE.security });
  }

  /** fork and exec in one. */
  spawn(parent: TestProcess, path: Words, argv?: readonly string[], values: ExecValues = {}): TestProcess {
    const child = this.fork(parent);
    return this.exec(child, path, argv === undefined ? values : { ...values, argv });
  }

  /** A process that ran before the sensor did. */
  snapshot(process: TestProcess, path: Words, values: ExecValues = {}): TestProcess {
    const body = this.#execBody(process, path, { ...values, snapshot: true });
    return this.#add(process, 'Exec', body, { lane: LANE.context, cpu: 0 });
  }

  /** A process that nobody saw starting: no event is sent. */
  unseen(parent: TestProcess | undefined = this.init, pid: number = this.#nextPid++): TestProcess {
    return new TestProcess(pid, BigInt(this.ktime) * 1000n, parent, parent?.cgroup ?? HOST_CGROUP);
  }

  exit(process: TestProcess, code = 0, signal = 0): void {
    const duration = this.ktime - Number(process.start / 1000n);
    this.#add(process, 'Exit', { code, signal, core: false, duration }, { lane: LANE.security });
  }

  credentials(process: TestProcess, after: number | CredentialValues): void {
    const before = process.credentials;
    process.credentials = typeof after === 'number' ? credentialsOf(after) : { ...before, ...after };
    this.#add(process, 'CredentialsChange', { before, after: process.credentials }, { lane: LANE.security });
  }

  open(process: TestProcess, path: Words, flags: number = O.RDONLY, values: OpenValues = {}): void {
    const result = values.result ?? 3;
    const body = {
      device: 8,
      mode: result < 0 ? 0 : REGULAR,
      sourceCaller: result < 0,
      ...values,
      flags,
      result,
      inode: u64FromBigInt(values.inode ?? this.inodeOf(path)),
      path: text(path),
    };
    this.#add(process, 'Open', body, { lane: LANE.bulk });
  }

  /** A name, an attribute or the content of a file changes: `rename`, `chmod`, … */
  change(process: TestProcess, operation: FileOperation, path: Words, values: ChangeValues = {}): void {
    const body = {
      device: 0,
      result: 0,
      mode: 0,
      uid: UNSET_ID,
      gid: UNSET_ID,
      flags: 0,
      sourceCaller: true,
      special: 0,
      ...values,
      operation: records.FileOperation[`FILE_${operation}`],
      inode: u64FromBigInt(values.inode ?? 0n),
      length: u64FromBigInt(values.length ?? 0n),
      path: text(path),
      target: text(values.target ?? ''),
    };
    this.#add(process, 'FileChange', body, { lane: LANE.bulk });
  }

  /** What is mounted, or where the root is, changes: `mount`, `chroot`, … */
  mountChange(process: TestProcess, operation: MountOperation, values: MountChangeValues = {}): void {
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
    this.#add(process, 'MountChange', body, { lane: LANE.security });
  }

  /** `address`: dotted IPv4, raw bytes (16: IPv6), or a path that begins with / for a unix socket. */
  connect(process: TestProcess, address: Words, port = 0, values: ConnectValues = {}): void {
    const unix = typeof address === 'string' && address.startsWith('/');
    const bytes = unix ? Buffer.alloc(0) : addressBytes(address);
    const family = unix ? AF_UNIX : bytes.length === 16 ? AF_INET6 : AF_INET;
    const protocol = unix ? 0 : IPPROTO.TCP;
    const path = text(unix ? address : '');
    const local = { localPort: 0, ...values, localAddress: addressBytes(values.localAddress ?? Buffer.alloc(0)) };
    const body = { family, type: SOCK.STREAM, protocol, result: 0, ...local, address: bytes, port, path };
    this.#add(process, 'Connect', body, { lane: LANE.security });
  }

  /** `peer` has connected to `own`: addresses as of `connect`. */
  accept(
    process: TestProcess,
    peer: { readonly address: Words; readonly port: number },
    own: { readonly address: Words; readonly port: number },
    values: AcceptValues = {},
  ): void {
    const address = addressBytes(peer.address);
    const fixed = {
      family: address.length === 16 ? AF_INET6 : AF_INET,
      type: SOCK.STREAM,
      protocol: IPPROTO.TCP,
      result: 4,
    };
    const ends = { address, port: peer.port, localAddress: addressBytes(own.address), localPort: own.port };
    this.#add(process, 'Accept', { ...fixed, ...values, ...ends }, { lane: LANE.bulk });
  }

  /** Any event of the sensor's, by its fields; what isn't given is 0, false or empty. */
  event(process: TestProcess, kind: KindName, values: EventValues = {}): void {
    this.#add(process, kind, bodyOf(kind, values), { lane: LANE.security });
  }

  /** `process` looks into `target`: PTRACE_ATTACH unless `values` says otherwise. */
  access(process: TestProcess, target: TestProcess, values: ProcessAccessValues = {}): void {
    const fixed = { address: U64_ZERO, length: U64_ZERO, operation: 1, request: 16, result: 0, count: 1 };
    const whom = { targetTgid: target.tgid, targetStart: target.startBytes };
    this.#add(process, 'ProcessAccess', { ...fixed, ...values, ...whom }, { lane: LANE.security });
  }

  /** Makes a socket, or what `operation` says (enum rf_socket_operation). */
  socket(process: TestProcess, values: SocketValues = {}): void {
    const none = { address: Buffer.alloc(0), port: 0, contextId: 0, backlog: 0, sourceCaller: false };
    const fixed = { family: AF_INET, type: SOCK.STREAM, protocol: 0, operation: 1, result: 3, ...none };
    this.#add(process, 'Socket', { ...fixed, ...values, path: text(values.path ?? '') }, { lane: LANE.security });
  }

  /** A line is typed into the shell. */
  shellLine(process: TestProcess, line: string): void {
    this.#add(process, 'ShellLine', { tty: 0x8800000, sourceCaller: true, line: text(line) }, { lane: LANE.security });
  }

  /** PAM was asked by the process; `result`: PAM_*, 0 is success. */
  authenticate(process: TestProcess, service: string, user: string, result = 0, remoteHost = ''): void {
    const texts = { service: text(service), user: text(user), remoteHost: text(remoteHost), tty: text('') };
    this.#add(process, 'Authentication', { result, sourceCaller: true, ...texts }, { lane: LANE.security });
  }

  /** What the process gave to libssl, or got from it. */
  tls(process: TestProcess, egress: boolean, payload: string): void {
    this.#add(process, 'TlsData', { egress, payload: text(payload) }, { lane: LANE.bulk });
  }

  /** A probe of the user has fired; numbers are signed, all else is text. */
  probe(process: TestProcess, name: string, values: Readonly<Record<string, string | number>>): void {
    const parts = Object.entries(values).map(([argument, value]) => probeArgument(argument, value));
    const body = { place: 1, sourceCaller: true, name: text(name), arguments: text(Buffer.concat(parts)) };
    this.#add(process, 'Probe', body, { lane: LANE.bulk });
  }

  user(uid: number, name: string): void {
    this.#context('UserContext', { uid, name });
  }

  /** Says which container the cgroup is; `id: ''` says that it is gone. */
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

  /** The agent says that it hashes executables. */
  hashes(): void {
    this.#context('HostContext', { hostname: 'web-1', machineId: '', addresses: '', hashing: true });
  }

  /** What the agent says of the executable at `path`: its hash, or why there is none. `process` undefined: of the file alone. */
  hash(process: TestProcess | undefined, path: Words, values: HashValues = {}): void {
    const { sha256 = '', skipped = '', ctime = this.wallOffset, ...rest } = values;
    const file = { inode: u64FromBigInt(this.inodeOf(path)), device: 8, ctime, size: 100, path: text(path) };
    const body = { ...file, lasting: true, script: false, ...rest, sha256: Buffer.from(sha256, 'hex'), skipped };
    this.#add(process, 'Hash', body, { lane: LANE.context, cpu: 0 });
  }

  /** What a check of the host's integrity has found. */
  finding(check: string, subject: string, detail = 'it is not as it should be'): void {
    this.#context('Finding', { check, subject, detail });
  }

  /** `seconds` pass, then the collector's tick, at `ktime`. */
  tick(seconds = 1, last = false): void {
    this.ktime += seconds * 1_000_000;
    this.#add(undefined, 'Tick', { wallOffset: this.wallOffset, last }, { lane: LANE.tick, cpu: 0 });
  }

  /** `count` records of a kernel lane never reach their ring; `cause` as the collector names it, or '' when no counter knows. */
  drop(lane: number, count: number, cause = 'ring_full', cpu: number = this.cpu): void {
    const key = `${lane}/${cpu}`;
    this.#sequences.set(key, (this.#sequences.get(key) ?? 0) + count);
    if (cause === '') return;
    const drops = this.#drops.get(key) ?? {};
    drops[cause] = (drops[cause] ?? 0) + count;
    this.#drops.set(key, drops);
  }

  /** The gathered events as the collector sends them: framed and signed, with the counters of every lane and CPU. */
  batch(): Buffer {
    return this.#writer.finish({
      interestVersion: this.interestVersion,
      wallOffset: this.wallOffset,
      sentAt: 0,
      lanes: [...this.#sequences].map(([key, sequence]) => {
        const [lane = '0', cpu = '0'] = key.split('/');
        return { lane: Number(lane), cpu: Number(cpu), sequence, drops: this.#drops.get(key) ?? {} };
      }),
      keyId: this.key.keyId,
      sign: (bytes) => signBytes(this.key, bytes),
    });
  }

  /** The same path has the same inode. */
  inodeOf(path: Words): bigint {
    const name = typeof path === 'string' ? path : Buffer.from(path).toString('latin1');
    const known = this.#inodes.get(name) ?? BigInt(1000 + this.#inodes.size);
    this.#inodes.set(name, known);
    return known;
  }

  #execBody(process: TestProcess, path: Words, values: ExecValues): Exec {
    return execBody(process, { path, inode: this.inodeOf(path), changedAt: this.wallOffset }, values);
  }

  #context(kind: KindName, body: object): void {
    this.#add(undefined, kind, body, { lane: LANE.context, cpu: 0 });
  }

  #add<P extends TestProcess | undefined>(process: P, kind: KindName, body: object, placement: Placement): P {
    const { lane, cpu = this.cpu, late = this.late } = placement;
    const key = `${lane}/${cpu}`;
    const sequence = (this.#sequences.get(key) ?? 0) + 1;
    this.#sequences.set(key, sequence);
    const event = {
      lane,
      cpu,
      sequence,
      ktime: this.ktime,
      late,
      tgid: process?.tgid ?? 0,
      tid: process?.tgid ?? 0,
      start: process?.startBytes ?? U64_ZERO,
      cgroup: u64FromBigInt(process?.cgroup ?? 0n),
      execId: process?.execId ?? 0,
      body: { [`ringfence.${kind}`]: body },
    };
    this.ktime += this.step;
    this.append(event as unknown as Event);
    return process;
  }

  /** Adds an event as it is, whatever it says. */
  append(event: Event): void {
    this.#writer.events.append(this.#events.toBuffer(event));
    this.#writer.count++;
  }

  /** Names of all kinds, for tests that want one of each. */
  static readonly kinds: readonly KindName[] = Object.keys(KIND) as KindName[];
}

export function createTestHost(options: TestHostOptions = {}): TestHost {
  return new TestHost(options);
}
