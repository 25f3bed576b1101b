import { SchemaError } from '../errors.ts';
import type { KindName } from '../generated/leaves.generated.ts';
import { schemaOf } from './schemas.ts';

/** Encodings of leaves. A long is also an int, bytes are also a string. */
export const LEAF_TYPE = { long: 0, boolean: 1, bytes: 2, fixed: 3 } as const;

/** A field of a body, or of a record in it, that has no fields itself. */
export interface LeafLayout {
  /** Path of the field, such as `credentials.euid` or `path.bytes`. */
  readonly name: string;
  readonly type: (typeof LEAF_TYPE)[keyof typeof LEAF_TYPE];
  /** Bytes of a fixed; 4 for an int, 8 for a long. */
  readonly size: number;
  /** A number with at most this many encoded bytes is always in range. */
  readonly safeBytes: number;
}

export interface BodyLayout {
  readonly name: KindName;
  /** Fields in the order of encoding; null when the body has lists, maps or unions, so that avsc must decode it. */
  readonly leaves: readonly LeafLayout[] | null;
  /** For moving past a body that has no leaves. */
  readonly shape: Shape;
}

/** Structure of an encoded value. A boolean is a fixed of one byte; arrays and maps are encoded in blocks of items. */
export type Shape =
  | { readonly is: 'nothing' | 'number' | 'bytes' }
  | { readonly is: 'fixed'; readonly size: number }
  | { readonly is: 'record'; readonly parts: readonly Shape[] }
  | { readonly is: 'union'; readonly branches: readonly Shape[] }
  | { readonly is: 'blocks'; readonly items: Shape };

type Schema =
  | string
  | readonly Schema[]
  | {
      readonly name?: string;
      readonly type: Schema;
      readonly size?: number;
      readonly items?: Schema;
      readonly values?: Schema;
      readonly fields?: readonly { name: string; type: Schema }[];
    };

const named = new Map<string, Schema>();

function leavesOf(schema: Schema, name: string): LeafLayout[] | null {
  if (typeof schema === 'string') {
    const known = named.get(schema);
    if (known !== undefined) return leavesOf(known, name);
    if (schema === 'int' || schema === 'long') return [numberLeaf(name, schema)];
    if (schema === 'boolean') return [{ name, type: LEAF_TYPE.boolean, size: 1, safeBytes: 0 }];
    return schema === 'bytes' || schema === 'string' ? [{ name, type: LEAF_TYPE.bytes, size: 0, safeBytes: 0 }] : null;
  }
  if (Array.isArray(schema)) return null;
  const complex = schema as Exclude<Schema, string | readonly Schema[]>;
  if (complex.name !== undefined) named.set(complex.name, complex);
  if (complex.type === 'fixed') return [{ name, type: LEAF_TYPE.fixed, size: complex.size ?? 0, safeBytes: 0 }];
  if (complex.type !== 'record') return typeof complex.type === 'object' ? leavesOf(complex.type, name) : null;
  const parts = (complex.fields ?? []).map((field) =>
    leavesOf(field.type, name === '' ? field.name : `${name}.${field.name}`),
  );
  return parts.some((part) => part === null) ? null : parts.flatMap((part) => part ?? []);
}

const PRIMITIVES: Readonly<Record<string, Shape>> = {
  null: { is: 'nothing' },
  int: { is: 'number' },
  long: { is: 'number' },
  bytes: { is: 'bytes' },
  string: { is: 'bytes' },
  boolean: { is: 'fixed', size: 1 },
};

function shapeOf(schema: Schema): Shape {
  if (typeof schema === 'string') {
    const primitive = PRIMITIVES[schema];
    if (primitive !== undefined) return primitive;
    const known = named.get(schema);
    if (known === undefined) throw new SchemaError('ERR_SCHEMA_VALUE', `event.avsc uses the undefined type ${schema}`);
    return shapeOf(known);
  }
  if (Array.isArray(schema)) return { is: 'union', branches: schema.map(shapeOf) };
  const complex = schema as Exclude<Schema, string | readonly Schema[]>;
  if (complex.name !== undefined) named.set(complex.name, complex);
  const { type, size = 0, items, values, fields = [] } = complex;
  if (type === 'fixed') return { is: 'fixed', size };
  if (type === 'record') return { is: 'record', parts: fields.map((field) => shapeOf(field.type)) };
  if (type === 'array') return { is: 'blocks', items: shapeOf(items ?? 'null') };
  if (type === 'map')
    return { is: 'blocks', items: { is: 'record', parts: [{ is: 'bytes' }, shapeOf(values ?? 'null')] } };
  return shapeOf(type);
}

/** Four encoded bytes hold 28 of an int's 32 bits; seven hold 49 of the 53 bits that a JavaScript number can have. */
const numberLeaf = (name: string, type: 'int' | 'long'): LeafLayout =>
  type === 'int'
    ? { name, type: LEAF_TYPE.long, size: 4, safeBytes: 4 }
    : { name, type: LEAF_TYPE.long, size: 8, safeBytes: 7 };

function bodies(): readonly BodyLayout[] {
  const fields = schemaOf('Event').fields as readonly { name: string; type: Schema }[];
  for (const field of fields) if (field.name !== 'body') leavesOf(field.type, field.name);
  const union = fields.find((field) => field.name === 'body')?.type as readonly { name: string; type: Schema }[];
  return union.map((body) => ({ name: body.name as KindName, leaves: leavesOf(body, ''), shape: shapeOf(body) }));
}

/** By number of the kind, which is the branch of the union `body`. */
export const layouts: readonly BodyLayout[] = bodies();

/** Numbers of the kinds. */
export const KIND = Object.fromEntries(layouts.map((layout, index) => [layout.name, index])) as Record<
  KindName,
  number
>;
/** Returns the name of a kind in rules, such as file_change or credentials. */
export const kindName = (kind: KindName): string =>
  kind === 'CredentialsChange' ? 'credentials' : kind.replaceAll(/(?<!^)[A-Z]/g, '_$&').toLowerCase();

/** Leaves of a process in an EventBatch. */
export const processLeaves: readonly LeafLayout[] = schemaOf('EventBatch')
  .fields.filter(({ name }) => name === 'processes')
  .flatMap(({ type }) => leavesOf((type as { readonly items: Schema }).items, '') ?? []);
