import { type Event, portableSchema, records, typeOf } from '@ringfence/wire';
import fc from 'fast-check';
import { signedMicros } from '../src/records/write-field.ts';

/** A generated kernel record and the event that it must become. */
export interface Sample {
  readonly record: Buffer;
  readonly event: Event;
}

const i32: fc.Arbitrary<number> = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const u64: fc.Arbitrary<Buffer> = fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => Buffer.from(bytes));
/** times since boot and sequence numbers that pass the record check */
const safe: fc.Arbitrary<bigint> = fc.bigInt({ min: 0n, max: 2n ** 52n });
const text: fc.Arbitrary<Buffer> = fc
  .oneof(
    { weight: 5, arbitrary: fc.uint8Array({ maxLength: 64 }) },
    fc.uint8Array({ minLength: 3000, maxLength: 4096, size: 'max' }),
  )
  .map((bytes) => Buffer.from(bytes));

interface Kind {
  readonly kind: number;
  /** bytes of the fixed part */
  readonly size: number;
  /** offsets of its text descriptors */
  readonly texts: readonly number[];
  /** returns the body that a fixed part with these texts must become */
  readonly body: (bytes: Buffer, texts: readonly TextValue[]) => Event['body'];
}

interface TextValue {
  readonly bytes: Buffer;
  readonly length: number;
}

const none: TextValue = { bytes: Buffer.alloc(0), length: 0 };
const FAMILIES = [1, 2, 10] as const;
const ADDRESS_BYTES: Readonly<Record<number, number>> = { 1: 0, 2: 4, 10: 16 };

const exported = new Map<string, unknown>(Object.entries(records));
const upper = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();

/** Looks up a number in records.generated.ts. */
function find(...words: readonly string[]): number | undefined {
  return exported.get(words.map(upper).join('_')) as number | undefined;
}

function place(...words: readonly string[]): number {
  const found = find(...words);
  if (found === undefined) throw new Error(`no ${words.map(upper).join('_')} among the records`);
  return found;
}

/** Calls the generated reader of a field for the struct at `at`. */
function read(bytes: Buffer, at: number, struct: string, field: string, part = ''): number | undefined {
  const reader = exported.get(`${struct}${field[0]?.toUpperCase()}${field.slice(1)}${part}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return typeof reader === 'function' ? (reader as (view: DataView, at: number) => number)(view, at) : undefined;
}

interface Schema {
  readonly name: string;
  readonly type: string;
  readonly fields?: readonly { readonly name: string; readonly type: unknown }[];
}

const nameOf = (type: unknown): string =>
  (typeof type === 'string' ? type : (type as Schema).name).replace(/^.*\./, '');

const definitions = new Map<string, Schema>();

function define(schema: unknown): void {
  if (Array.isArray(schema)) for (const member of schema) define(member);
  else if (typeof schema === 'object' && schema !== null) {
    if ('name' in schema && 'type' in schema) definitions.set(nameOf(schema), schema as Schema);
    for (const value of Object.values(schema)) define(value);
  }
}
define(JSON.parse(portableSchema('Event')));

/** Reads the fields of a record from the struct at `at`, only by matching names. */
function recordOf(record: string, struct: string, bytes: Buffer, at: number, texts: TextValue[]): object {
  const fields = definitions.get(record)?.fields ?? [];
  return Object.fromEntries(
    fields.map(({ name, type }) => {
      const at8 = at + place(struct, name);
      const number = read(bytes, at, struct, name);
      switch (nameOf(type)) {
        case 'Text':
          return [name, texts.shift() ?? none];
        case 'U64':
          return [name, bytes.subarray(at8, at8 + 8)];
        case 'bytes':
          return [name, bytes.subarray(at8, at8 + addressLength(bytes, at, struct, name))];
        case 'boolean':
          return [name, number !== 0];
        case 'int':
          return [name, (number ?? 0) | 0];
        case 'long':
          return [
            name,
            number ?? signedMicros(read(bytes, at, struct, name, 'Lo')!, read(bytes, at, struct, name, 'Hi')!),
          ];
        default:
          return [name, recordOf(nameOf(type), nameOf(type).toLowerCase(), bytes, at8, texts)];
      }
    }),
  );
}

function addressLength(bytes: Buffer, at: number, struct: string, name: string): number {
  if (name === 'localAddress' && read(bytes, at, struct, 'localPort') === 0) return 0;
  return ADDRESS_BYTES[read(bytes, at, struct, 'family') ?? 0] ?? 0;
}

const kinds: readonly Kind[] = Object.entries(records.Kind).map(([name, kind]) => {
  const struct = name.toLowerCase().replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  const record = `${struct[0]?.toUpperCase()}${struct.slice(1)}`;
  const texts = (definitions.get(record)?.fields ?? [])
    .filter(({ type }) => nameOf(type) === 'Text')
    .map((field) => place(struct, field.name));
  return {
    kind,
    size: place('sizeof', struct),
    texts,
    body: (bytes, values) =>
      ({ [`ringfence.${record}`]: recordOf(record, struct, bytes, 0, [...values]) }) as unknown as Event['body'],
  };
});

const random = (size: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ minLength: size, maxLength: size }).map((bytes) => Buffer.from(bytes));

/** A random fixed part. Its address family, if it has one, is one of the known families. */
const fixedOf = ({ kind, size }: Kind): fc.Arbitrary<Buffer> =>
  fc.tuple(random(size), fc.constantFrom(...FAMILIES)).map(([bytes, family]) => {
    const name = Object.entries(records.Kind).find(([, value]) => value === kind)?.[0] ?? '';
    const at = find(name, 'family');
    if (at !== undefined) bytes.writeUInt16LE(family, at);
    return bytes;
  });

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
  record.writeUInt8(h.cpu, records.HEADER_CPU);
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

/** Any valid record of any kind, in lane 0. */
export const sample: fc.Arbitrary<Sample> = fc.constantFrom(...kinds).chain((kind) =>
  fc
    .tuple(header, fixedOf(kind), fc.array(textValue, { minLength: kind.texts.length, maxLength: kind.texts.length }))
    .map(([h, bytes, texts]) => {
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
        body: kind.body(bytes, texts),
      };
      return { record, event };
    }),
);

/** Encodes the event with avsc. */
export function encodeEvent(event: Event): Buffer {
  return typeOf('Event').toBuffer(event);
}
