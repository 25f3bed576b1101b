import type avro from 'avsc';
import { SchemaError } from '../errors.ts';

/**
 * Walks an encoded value and returns its end, without decoding it. avsc trusts counts and lengths while it decodes, so
 * a few hostile bytes could make it allocate without limit. Therefore everything that avsc decodes is walked first.
 */
type Walk = (bytes: Uint8Array, at: number) => number;

type Schema =
  | string
  | readonly Schema[]
  | {
      readonly type: Schema;
      readonly name?: string;
      readonly size?: number;
      readonly items?: Schema;
      readonly values?: Schema;
      readonly fields?: readonly { readonly type: Schema }[];
    };

const malformed = (at: number, total: number): SchemaError =>
  new SchemaError('ERR_SCHEMA_MALFORMED', `the bytes don't match the schema at ${at} of ${total}`);

function skip(bytes: Uint8Array, at: number, length: number): number {
  if (length < 0 || at + length > bytes.length) throw malformed(at, bytes.length);
  return at + length;
}

/** End of the last number that `long` read. A result object would cost an allocation for each number. */
let end = 0;

/** Reads a varint of at most 10 bytes. */
function long(bytes: Uint8Array, at: number): number {
  let value = 0;
  let scale = 1;
  for (let i = 0; i < 10; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) break;
    value += (byte & 0x7f) * scale;
    scale *= 128;
    if (byte >= 0x80) continue;
    end = at + i + 1;
    return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
  }
  throw malformed(at, bytes.length);
}

const walkLong: Walk = (bytes, at) => {
  long(bytes, at);
  return end;
};
const walkBytes: Walk = (bytes, at) => {
  const length = long(bytes, at);
  return skip(bytes, end, length);
};
const fixed =
  (size: number): Walk =>
  (bytes, at) =>
    skip(bytes, at, size);

const PRIMITIVES: Readonly<Record<string, Walk>> = {
  null: fixed(0),
  boolean: fixed(1),
  int: walkLong,
  long: walkLong,
  float: fixed(4),
  double: fixed(8),
  bytes: walkBytes,
  string: walkBytes,
  enum: walkLong,
};

/** Items of all arrays and maps of the value that is walked. */
let items = 0;
let maxItems = 0;

/**
 * Every item of a schema that this program accepts has at least one byte, so the bytes of a record bound the number of
 * its items. Counting them in all blocks together holds for any schema: items without bytes could else be repeated.
 */
const blocks =
  (item: Walk): Walk =>
  (bytes, from) => {
    let at = from;
    for (;;) {
      const count = long(bytes, at);
      at = end;
      if (count === 0) return at;
      let stated = -1;
      if (count < 0) {
        stated = long(bytes, at);
        at = end;
      }
      const start = at;
      items += Math.abs(count);
      if (Math.abs(count) > bytes.length - at || items > maxItems) throw malformed(at, bytes.length);
      for (let i = Math.abs(count); i > 0; i--) at = item(bytes, at);
      // avsc adds the stated size to its position when it skips a block: a negative one would never end.
      if (count < 0 && at - start !== stated) throw malformed(start, bytes.length);
    }
  };

const union =
  (branches: readonly Walk[]): Walk =>
  (bytes, at) => {
    const branch = branches[long(bytes, at)];
    if (branch === undefined) throw malformed(at, bytes.length);
    return branch(bytes, end);
  };

function compile(schema: Schema, named: Map<string, Walk>): Walk {
  if (typeof schema === 'string') {
    const walk = PRIMITIVES[schema] ?? named.get(schema);
    if (walk === undefined)
      throw new SchemaError('ERR_SCHEMA_UNKNOWN', `the schema uses ${schema} before its definition`);
    return walk;
  }
  if (Array.isArray(schema)) return union(schema.map((branch: Schema) => compile(branch, named)));
  const complex = schema as Exclude<Schema, string | readonly Schema[]>;
  if (complex.type === 'array') return blocks(compile(complex.items as Schema, named));
  if (complex.type === 'map') {
    const value = compile(complex.values as Schema, named);
    return blocks((bytes, at) => value(bytes, walkBytes(bytes, at)));
  }
  const walk =
    complex.type === 'fixed'
      ? fixed(complex.size ?? 0)
      : complex.type === 'record'
        ? sequence(complex.fields ?? [], named)
        : compile(complex.type, named);
  if (complex.name !== undefined) named.set(complex.name, walk);
  return walk;
}

function sequence(fields: readonly { readonly type: Schema }[], named: Map<string, Walk>): Walk {
  const walks = fields.map((field) => compile(field.type, named));
  return (bytes, from) => {
    let at = from;
    for (const walk of walks) at = walk(bytes, at);
    return at;
  };
}

const compiled = new WeakMap<avro.Type, Walk>();

/** Returns the end of the value of `type` that starts at `at`. Throws SchemaError if the value exceeds the bytes. */
export function boundsOf(type: avro.Type, bytes: Uint8Array, at: number): number {
  let walk = compiled.get(type);
  if (walk === undefined) {
    walk = compile(type.schema() as Schema, new Map());
    compiled.set(type, walk);
  }
  items = 0;
  maxItems = bytes.length - at + 1;
  return walk(bytes, at);
}

/** Returns the number of items that the last call of `boundsOf` has counted, for tests. */
export const countedItems = (): number => items;
