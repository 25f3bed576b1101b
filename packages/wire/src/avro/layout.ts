import { SchemaError } from '../errors.ts';
import type { KindName } from '../generated/leaves.generated.ts';
import { schemaOf } from './schemas.ts';

/** Encodings of leaves. A long is also an int, bytes are also a string. */
export const LEAF_TYPE = { long: 0, boolean: 1, bytes: 2, fixed: 3 } as const;

/** A field of a body, or of a record in it, that has no fields itself. */
export interface LeafLayout {
  /** `credentials.euid`, `path.bytes` */
  readonly name: string;
  readonly type: (typeof LEAF_TYPE)[keyof typeof LEAF_TYPE];
  /** bytes: of a fixed, or that a number may take (4 or 8) */
  readonly size: number;
  /** a number of no more encoded bytes fits for sure */
  readonly safeBytes: number;
}

export interface BodyLayout {
  /** `Open` */
  readonly name: KindName;
  /** null: has lists, maps or unions, to be decoded by avsc */
  readonly leaves: readonly LeafLayout[] | null;
  /** its shape, for whoever only moves past it */
  readonly shape: Shape;
}

/** What an encoded value is made of. `size`: bytes of a fixed or a boolean; `items`: of a list's or a map's block. */
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
    if (known === undefined) throw new SchemaError('ERR_SCHEMA_VALUE', `there is no type ${schema}`);
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

/** Four bytes hold 28 bits, seven 49: of int's 32 and of the 53 that a number here may have. */
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

/** By union branch: what an event's kind number is. */
export const layouts: readonly BodyLayout[] = bodies();

/** Kind of an event: the branch of `body`. */
export const KIND = Object.fromEntries(layouts.map((layout, index) => [layout.name, index])) as Record<
  KindName,
  number
>;
/** What rules call a kind: file_change, credentials. */
export const kindName = (kind: KindName): string =>
  kind === 'CredentialsChange' ? 'credentials' : kind.replaceAll(/(?<!^)[A-Z]/g, '_$&').toLowerCase();

/** Leaves of a process in an EventBatch. */
export const processLeaves: readonly LeafLayout[] = schemaOf('EventBatch')
  .fields.filter(({ name }) => name === 'processes')
  .flatMap(({ type }) => leavesOf((type as { readonly items: Schema }).items, '') ?? []);
