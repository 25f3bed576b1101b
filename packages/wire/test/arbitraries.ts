import fc from 'fast-check';
import type {
  Container,
  Credentials,
  EnrichedEvent,
  Event,
  LaneCounters,
  Namespaces,
  Process,
} from '../src/generated/types.generated.ts';

const long = fc.integer({ min: 0, max: 2 ** 52 });
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const int = fc.integer({ min: -0x80000000, max: 0x7fffffff });
const bytes = (max: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ maxLength: max }).map((array) => Buffer.from(array));
const fixed = (size: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ minLength: size, maxLength: size }).map((array) => Buffer.from(array));
const u64 = fixed(8);
const text = fc.record({ bytes: bytes(300), length: fc.nat() });

export const namespaces: fc.Arbitrary<Namespaces> = fc.record({
  mnt: u32,
  pid: u32,
  net: u32,
  user: u32,
  uts: u32,
  ipc: u32,
  cgroup: u32,
  pidInNs: fc.nat(),
});
export const credentials: fc.Arbitrary<Credentials> = fc.record({
  uid: u32,
  gid: u32,
  euid: u32,
  egid: u32,
  suid: u32,
  sgid: u32,
  fsuid: u32,
  fsgid: u32,
  capEffective: u64,
  capPermitted: u64,
  capInheritable: u64,
});

const exec = fc.record({
  snapshot: fc.boolean(),
  parentTgid: fc.nat(),
  parentStart: u64,
  inode: u64,
  device: u32,
  ctime: long,
  mtime: long,
  mode: fc.nat(),
  owner: u32,
  flags: fc.nat(),
  credentials,
  namespaces,
  loginuid: u32,
  sessionId: u32,
  tty: u32,
  argc: fc.nat(),
  stdioSockets: fc.nat(7),
  path: text,
  filename: text,
  cwd: text,
  argv: text,
  environment: text,
  interpreter: text,
  script: text,
  scriptInode: u64,
  scriptDevice: u32,
  scriptCtime: long,
});

const container = {
  cgroupId: u64,
  id: fc.string(),
  runtime: fc.string(),
  name: fc.string(),
  image: fc.string(),
  privileged: fc.option(fc.boolean()),
  labels: fc.dictionary(fc.string({ maxLength: 8 }), fc.string(), { maxKeys: 4, noNullPrototype: true }),
  path: fc.string(),
  imageId: fc.string(),
  imageDigests: fc.array(fc.string(), { maxLength: 3 }),
  capabilities: fc.option(u64),
  mounts: fc.array(fc.record({ source: fc.string(), destination: fc.string(), readonly: fc.boolean() }), {
    maxLength: 3,
  }),
  namespaces: fc.array(fc.string(), { maxLength: 3 }),
  pod: fc.string(),
  podUid: fc.string(),
  namespace: fc.string(),
  serviceAccount: fc.string(),
  podLabels: fc.dictionary(fc.string({ maxLength: 8 }), fc.string(), { maxKeys: 4, noNullPrototype: true }),
  startedAt: fc.nat(),
  described: fc.boolean(),
};

const branch = <N extends string, T>(name: N, body: fc.Arbitrary<T>): fc.Arbitrary<Record<N, T>> =>
  body.map((value) => ({ [name]: value }) as Record<N, T>);

const body = fc.oneof(
  branch('ringfence.Fork', fc.record({ parentTgid: fc.nat(), parentStart: u64, namespaces, flags: u64 })),
  branch('ringfence.Exec', exec),
  branch('ringfence.Exit', fc.record({ code: fc.nat(255), signal: fc.nat(64), core: fc.boolean(), duration: long })),
  branch('ringfence.CredentialsChange', fc.record({ before: credentials, after: credentials })),
  branch(
    'ringfence.Open',
    fc.record({
      inode: u64,
      device: u32,
      flags: fc.nat(),
      result: int,
      mode: fc.nat(),
      sourceCaller: fc.boolean(),
      path: text,
    }),
  ),
  branch(
    'ringfence.Connect',
    fc.record({
      family: fc.nat(40),
      type: fc.nat(9),
      protocol: fc.nat(255),
      address: bytes(16),
      port: fc.nat(65535),
      result: int,
      path: text,
      localAddress: bytes(16),
      localPort: fc.nat(65535),
    }),
  ),
  branch('ringfence.Tick', fc.record({ wallOffset: long, last: fc.boolean() })),
  branch(
    'ringfence.Gap',
    fc.record({ ofLane: fc.nat(20), ofCpu: fc.nat(256), from: long, to: long, reason: fc.string() }),
  ),
  branch('ringfence.UserContext', fc.record({ uid: u32, name: fc.string() })),
  branch('ringfence.ContainerContext', fc.record(container)),
  branch(
    'ringfence.MountContext',
    fc.record({
      mountNamespace: u32,
      device: u32,
      root: bytes(40),
      point: bytes(40),
      filesystem: fc.string(),
      source: bytes(40),
      options: fc.string(),
    }),
  ),
);

export const event: fc.Arbitrary<Event> = fc.record({
  lane: fc.nat(18),
  cpu: fc.nat(255),
  sequence: long,
  ktime: long,
  late: fc.boolean(),
  tgid: fc.nat(),
  tid: fc.nat(),
  start: u64,
  cgroup: u64,
  execId: fc.nat(),
  body,
}) as fc.Arbitrary<Event>;

export const containerRecord: fc.Arbitrary<Container> = fc.record(container);

export const process: fc.Arbitrary<Process> = fc.record({
  entityId: fixed(16),
  pid: fc.nat(),
  start: u64,
  execId: fc.nat(),
  parent: fc.integer({ min: -1, max: 3 }),
  container: fc.integer({ min: -1, max: 1 }),
  cgroup: u64,
  executable: bytes(60),
  executableInode: u64,
  executableDevice: u32,
  execFlags: fc.nat(),
  args: bytes(100),
  argsLength: fc.nat(),
  cwd: bytes(40),
  credentials,
  user: fc.string(),
  namespaces,
  loginuid: u32,
  sessionId: u32,
  tty: u32,
  stdioSockets: fc.nat(7),
  executableCtime: long,
  sha256: fc.constantFrom(Buffer.alloc(0), Buffer.alloc(32, 7)),
  hashState: fc.constantFrom('', 'hashed', 'pending', 'gone'),
  scriptInode: u64,
  scriptDevice: u32,
  scriptCtime: long,
  scriptSha256: fc.constantFrom(Buffer.alloc(0), Buffer.alloc(32, 8)),
  scriptHashState: fc.constantFrom('', 'hashed', 'pending', 'gone'),
}) as fc.Arbitrary<Process>;

export const enriched: fc.Arbitrary<EnrichedEvent> = fc.record({
  process: fc.integer({ min: -1, max: 3 }),
  container: fc.integer({ min: -1, max: 1 }),
  writer: fc.integer({ min: -1, max: 3 }),
  writtenAgo: fc.integer({ min: -1 }),
  partial: fc.string(),
  event,
}) as fc.Arbitrary<EnrichedEvent>;

export const counters: fc.Arbitrary<LaneCounters> = fc.record({
  lane: fc.nat(18),
  cpu: fc.nat(255),
  sequence: long,
  drops: fc.dictionary(fc.string({ maxLength: 8 }), long, { maxKeys: 4, noNullPrototype: true }),
});
export const fixed64: fc.Arbitrary<Buffer> = fixed(64);
export const u64bytes: fc.Arbitrary<Buffer> = u64;
