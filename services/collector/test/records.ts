import { type Event, records, typeOf } from '@ringfence/schema';
import fc from 'fast-check';
import { signedMicros } from '../src/steps/transcode.ts';

/** One generated kernel record and the event that it must become. */
export interface Sample {
  readonly record: Buffer;
  readonly event: Event;
}

const u16: fc.Arbitrary<number> = fc.integer({ min: 0, max: 0xffff });
const i32: fc.Arbitrary<number> = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const u64: fc.Arbitrary<Buffer> = fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => Buffer.from(bytes));
/** times since boot, sequence numbers: what is sound */
const safe: fc.Arbitrary<bigint> = fc.bigInt({ min: 0n, max: 2n ** 52n });
const text: fc.Arbitrary<Buffer> = fc
  .oneof(
    { weight: 5, arbitrary: fc.uint8Array({ maxLength: 64 }) },
    fc.uint8Array({ minLength: 3000, maxLength: 4096, size: 'max' }),
  )
  .map((bytes) => Buffer.from(bytes));

interface Kind {
  readonly kind: number;
  readonly size: number;
  readonly texts: readonly number[];
  /** writes the fixed part at random and says what body it must become */
  readonly fixed: fc.Arbitrary<{
    readonly bytes: Buffer;
    readonly body: (texts: readonly TextValue[]) => Event['body'];
  }>;
}

interface TextValue {
  readonly bytes: Buffer;
  readonly length: number;
}

const credentialsOf = (bytes: Buffer, at: number) => {
  const ids = Array.from({ length: 8 }, (_, index) => bytes.readUInt32LE(at + index * 4));
  const [uid = 0, gid = 0, euid = 0, egid = 0, suid = 0, sgid = 0, fsuid = 0, fsgid = 0] = ids;
  const cap = (index: number): Buffer => bytes.subarray(at + 32 + index * 8, at + 40 + index * 8);
  return {
    uid,
    gid,
    euid,
    egid,
    suid,
    sgid,
    fsuid,
    fsgid,
    capEffective: cap(0),
    capPermitted: cap(1),
    capInheritable: cap(2),
  };
};

const namespacesOf = (bytes: Buffer, at: number) => {
  const [mnt = 0, pid = 0, net = 0, user = 0, uts = 0, ipc = 0, cgroup = 0] = Array.from({ length: 7 }, (_, index) =>
    bytes.readUInt32LE(at + index * 4),
  );
  return { mnt, pid, net, user, uts, ipc, cgroup, pidInNs: bytes.readInt32LE(at + 28) };
};

const micros = (bytes: Buffer, at: number): number => signedMicros(bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4));
const u64At = (bytes: Buffer, at: number): Buffer => bytes.subarray(at, at + 8);
const none: TextValue = { bytes: Buffer.alloc(0), length: 0 };

const random = (size: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ minLength: size, maxLength: size }).map((bytes) => Buffer.from(bytes));

const kinds: readonly Kind[] = [
  {
    kind: records.Kind.FORK,
    size: records.SIZEOF_FORK,
    texts: [],
    fixed: random(records.SIZEOF_FORK).map((bytes) => ({
      bytes,
      body: () => ({
        'ringfence.Fork': {
          parentTgid: bytes.readInt32LE(records.FORK_PARENT_TGID),
          parentStart: u64At(bytes, records.FORK_PARENT_START),
          namespaces: namespacesOf(bytes, records.FORK_NS),
        },
      }),
    })),
  },
  {
    kind: records.Kind.EXEC,
    size: records.SIZEOF_EXEC,
    texts: [records.EXEC_PATH, records.EXEC_FILENAME, records.EXEC_CWD, records.EXEC_ARGV],
    fixed: random(records.SIZEOF_EXEC).map((bytes) => ({
      bytes,
      body: ([path = none, filename = none, cwd = none, argv = none]) => ({
        'ringfence.Exec': {
          snapshot: false,
          parentTgid: bytes.readInt32LE(records.EXEC_PARENT_TGID),
          parentStart: u64At(bytes, records.EXEC_PARENT_START),
          inode: u64At(bytes, records.EXEC_INODE),
          device: bytes.readUInt32LE(records.EXEC_DEVICE),
          ctime: micros(bytes, records.EXEC_CTIME),
          mtime: micros(bytes, records.EXEC_MTIME),
          mode: bytes.readInt32LE(records.EXEC_MODE),
          owner: bytes.readUInt32LE(records.EXEC_OWNER_UID),
          flags: bytes.readInt32LE(records.EXEC_FLAGS),
          credentials: credentialsOf(bytes, records.EXEC_CREDS),
          namespaces: namespacesOf(bytes, records.EXEC_NS),
          loginuid: bytes.readUInt32LE(records.EXEC_LOGINUID),
          sessionId: bytes.readUInt32LE(records.EXEC_SESSIONID),
          tty: bytes.readUInt32LE(records.EXEC_TTY),
          argc: bytes.readInt32LE(records.EXEC_ARGC),
          stdioSockets: bytes.readInt32LE(records.EXEC_STDIO_SOCKETS),
          path,
          filename,
          cwd,
          argv,
        },
      }),
    })),
  },
  {
    kind: records.Kind.EXIT,
    size: records.SIZEOF_EXIT,
    texts: [],
    fixed: random(records.SIZEOF_EXIT).map((bytes) => ({
      bytes,
      body: () => ({
        'ringfence.Exit': {
          code: bytes.readInt32LE(records.EXIT_CODE),
          signal: bytes.readInt32LE(records.EXIT_SIGNAL),
          core: bytes.readUInt32LE(records.EXIT_CORE) !== 0,
          duration: micros(bytes, records.EXIT_DURATION),
        },
      }),
    })),
  },
  {
    kind: records.Kind.CREDENTIALS,
    size: records.SIZEOF_CREDENTIALS_CHANGE,
    texts: [],
    fixed: random(records.SIZEOF_CREDENTIALS_CHANGE).map((bytes) => ({
      bytes,
      body: () => ({
        'ringfence.CredentialsChange': {
          before: credentialsOf(bytes, records.CREDENTIALS_CHANGE_BEFORE),
          after: credentialsOf(bytes, records.CREDENTIALS_CHANGE_AFTER),
        },
      }),
    })),
  },
  {
    kind: records.Kind.OPEN,
    size: records.SIZEOF_OPEN,
    texts: [records.OPEN_PATH],
    fixed: random(records.SIZEOF_OPEN).map((bytes) => ({
      bytes,
      body: ([path = none]) => ({
        'ringfence.Open': {
          inode: u64At(bytes, records.OPEN_INODE),
          device: bytes.readUInt32LE(records.OPEN_DEVICE),
          flags: bytes.readInt32LE(records.OPEN_FLAGS),
          result: bytes.readInt32LE(records.OPEN_RESULT),
          mode: bytes.readInt32LE(records.OPEN_MODE),
          sourceCaller: bytes.readUInt32LE(records.OPEN_SOURCE_CALLER) !== 0,
          path,
        },
      }),
    })),
  },
  {
    kind: records.Kind.CONNECT,
    size: records.SIZEOF_CONNECT,
    texts: [records.CONNECT_PATH],
    fixed: fc.tuple(random(records.SIZEOF_CONNECT), fc.constantFrom(1, 2, 10), u16).map(([bytes, family]) => {
      bytes.writeUInt16LE(family, records.CONNECT_FAMILY);
      const addressBytes = family === 2 ? 4 : family === 10 ? 16 : 0;
      return {
        bytes,
        body: ([path = none]) => ({
          'ringfence.Connect': {
            family,
            type: bytes.readUInt16LE(records.CONNECT_TYPE),
            protocol: bytes.readUInt16LE(records.CONNECT_PROTOCOL),
            address: part(bytes, records.CONNECT_ADDRESS, addressBytes),
            port: bytes.readUInt16LE(records.CONNECT_PORT),
            result: bytes.readInt32LE(records.CONNECT_RESULT),
            path,
            localAddress: part(
              bytes,
              records.CONNECT_LOCAL_ADDRESS,
              bytes.readUInt16LE(records.CONNECT_LOCAL_PORT) === 0 ? 0 : addressBytes,
            ),
            localPort: bytes.readUInt16LE(records.CONNECT_LOCAL_PORT),
          },
        }),
      };
    }),
  },
  {
    kind: records.Kind.ACCEPT,
    size: records.SIZEOF_ACCEPT,
    texts: [],
    fixed: fc.tuple(random(records.SIZEOF_ACCEPT), fc.constantFrom(2, 10)).map(([bytes, family]) => {
      bytes.writeUInt16LE(family, records.ACCEPT_FAMILY);
      const addressBytes = family === 2 ? 4 : 16;
      return {
        bytes,
        body: () => ({
          'ringfence.Accept': {
            family,
            type: bytes.readUInt16LE(records.ACCEPT_TYPE),
            protocol: bytes.readUInt16LE(records.ACCEPT_PROTOCOL),
            address: part(bytes, records.ACCEPT_ADDRESS, addressBytes),
            port: bytes.readUInt16LE(records.ACCEPT_PORT),
            localAddress: part(bytes, records.ACCEPT_LOCAL_ADDRESS, addressBytes),
            localPort: bytes.readUInt16LE(records.ACCEPT_LOCAL_PORT),
            result: bytes.readInt32LE(records.ACCEPT_RESULT),
          },
        }),
      };
    }),
  },
];

const part = (bytes: Buffer, at: number, length: number): Buffer => bytes.subarray(at, at + length);

interface Header {
  readonly ktime: bigint;
  readonly sequence: bigint;
  readonly start: Buffer;
  readonly tgid: number;
  readonly tid: number;
  readonly cgroup: Buffer;
  readonly execId: bigint;
  readonly cpu: number;
}

const header: fc.Arbitrary<Header> = fc.record({
  ktime: fc.bigInt({ min: 0n, max: 2n ** 61n }),
  sequence: safe,
  start: u64,
  tgid: i32,
  tid: i32,
  cgroup: u64,
  execId: safe,
  cpu: fc.integer({ min: 0, max: 255 }),
});

function build(kind: Kind, h: Header, fixed: Buffer, texts: readonly TextValue[]): Buffer {
  const record = Buffer.concat([fixed, ...texts.map(({ bytes }) => bytes)]);
  record.writeBigUInt64LE(h.ktime, records.HEADER_KTIME);
  record.writeBigUInt64LE(h.sequence, records.HEADER_SEQUENCE);
  h.start.copy(record, records.HEADER_START);
  record.writeInt32LE(h.tgid, records.HEADER_TGID);
  record.writeInt32LE(h.tid, records.HEADER_TID);
  h.cgroup.copy(record, records.HEADER_CGROUP);
  record.writeBigUInt64LE(h.execId, records.HEADER_EXEC_ID);
  record.writeUInt32LE(record.length, records.HEADER_SIZE);
  record.writeUInt16LE(kind.kind, records.HEADER_KIND);
  record.writeUInt16LE(h.cpu, records.HEADER_CPU);
  let end = kind.size;
  kind.texts.forEach((at, index) => {
    const value = texts[index] ?? none;
    record.writeUInt32LE(end, at + records.TEXT_OFFSET);
    record.writeUInt32LE(value.bytes.length, at + records.TEXT_KEPT);
    record.writeUInt32LE(value.length, at + records.TEXT_LENGTH);
    end += value.bytes.length;
  });
  return record;
}

const textValue: fc.Arbitrary<TextValue> = fc
  .tuple(text, fc.nat(100_000))
  .map(([bytes, more]) => ({ bytes, length: bytes.length + more }));

/** Any sound record of any kind, in lane 0. */
export const sample: fc.Arbitrary<Sample> = fc.constantFrom(...kinds).chain((kind) =>
  fc
    .tuple(header, kind.fixed, fc.array(textValue, { minLength: kind.texts.length, maxLength: kind.texts.length }))
    .map(([h, { bytes, body }, texts]) => {
      const record = build(kind, h, bytes, texts);
      const event: Event = {
        lane: 0,
        cpu: h.cpu,
        sequence: Number(h.sequence),
        ktime: Number(h.ktime / 1000n),
        late: false,
        tgid: h.tgid,
        tid: h.tid,
        start: h.start,
        cgroup: h.cgroup,
        execId: Number(h.execId),
        body: body(texts),
      };
      return { record, event };
    }),
);

/** The event as avsc encodes it. */
export function encodeEvent(event: Event): Buffer {
  return typeOf('Event').toBuffer(event);
}
