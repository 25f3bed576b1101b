import { createHash } from 'node:crypto';
import { SchemaError } from '../errors.ts';
import { fingerprint } from './fingerprint.ts';

/** Limit for schemas of other programs; this program's have at most 40,000 characters. */
const MAX_SCHEMA_CHARS = 256 * 1024;
/** Limit for types within types, which bounds the cost of a byte. This program's schemas have at most 8 levels. */
const MAX_DEPTH = 40;

/** A schema of another program, judged by its text alone: the Avro library has not compiled it. */
export interface SchemaIdentity {
  /** Full name of the record, such as `ringfence.Alert`; empty for a schema that is not a named type. */
  readonly name: string;
  /** Parsing canonical form (Avro spec): what decides how bytes are read. */
  readonly canonical: string;
  /** CRC-64-AVRO of the canonical form in hex, in the byte order of a frame */
  readonly fingerprint: string;
  /** SHA-256 of the canonical form, hex */
  readonly sha256: string;
}

/**
 * Returns the identity of a schema. Throws SchemaError if the text is not a schema, if it nests too deeply, or if a
 * field, an item or a value takes no bytes: a few bytes of a record could then stand for any number of items.
 */
export function identifySchema(label: string, schemaJson: string): SchemaIdentity {
  try {
    if (schemaJson.length > MAX_SCHEMA_CHARS) throw new Error(`${schemaJson.length} characters are too many`);
    const form = new CanonicalForm();
    const { json, name = '' } = form.of(JSON.parse(schemaJson), '', 0);
    const canonical = JSON.stringify(json);
    return { name, canonical, fingerprint: fingerprint(canonical).toString('hex'), sha256: sha256Of(canonical) };
  } catch (cause) {
    throw new SchemaError('ERR_SCHEMA_UNKNOWN', `${label}: not an Avro schema: ${(cause as Error).message}`, { cause });
  }
}

export const sha256Of = (canonical: string): string => createHash('sha256').update(canonical).digest('hex');

interface Form {
  readonly json: unknown;
  readonly minBytes: number;
  readonly name?: string;
}

const PRIMITIVE_BYTES: ReadonlyMap<unknown, number> = new Map([
  ['null', 0],
  ['boolean', 1],
  ['int', 1],
  ['long', 1],
  ['float', 4],
  ['double', 8],
  ['bytes', 1],
  ['string', 1],
]);

const NAME = /^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$/;

type Attributes = Readonly<Record<string, unknown>>;

class CanonicalForm {
  /** Least bytes of the defined types, by full name. */
  readonly #defined = new Map<string, number>();

  of(schema: unknown, namespace: string, depth: number): Form {
    if (depth > MAX_DEPTH) throw new Error(`types nest more than ${MAX_DEPTH} levels deep`);
    if (typeof schema === 'string') return this.#reference(schema, namespace);
    if (Array.isArray(schema)) {
      const branches = schema.map((branch: unknown) => this.of(branch, namespace, depth + 1).json);
      return { json: branches, minBytes: 1 };
    }
    if (typeof schema !== 'object' || schema === null)
      throw new Error('a type is neither a name, a list nor an object');
    return this.#complex(schema as Attributes, namespace, depth);
  }

  #complex(schema: Attributes, namespace: string, depth: number): Form {
    const { type } = schema;
    if (type === 'array') return { json: { type, items: this.#some('items', schema, namespace, depth) }, minBytes: 1 };
    if (type === 'map') return { json: { type, values: this.#some('values', schema, namespace, depth) }, minBytes: 1 };
    if (type !== 'record' && type !== 'enum' && type !== 'fixed') return this.of(type, namespace, depth + 1);
    const name = fullName(schema, namespace);
    if (this.#defined.has(name)) throw new Error(`${name} is defined twice`);
    const form = type === 'record' ? this.#record(name, schema, depth) : leafForm(name, type, schema);
    this.#defined.set(name, form.minBytes);
    return { ...form, name };
  }

  #record(name: string, { fields }: Attributes, depth: number): Form {
    if (!Array.isArray(fields)) throw new Error(`${name} has no list of fields`);
    const namespace = name.slice(0, Math.max(0, name.lastIndexOf('.')));
    let minBytes = 0;
    const forms = fields.map((field: unknown) => {
      const { name: fieldName, type } = (field ?? {}) as Attributes;
      if (typeof fieldName !== 'string' || !NAME.test(fieldName))
        throw new Error(`a field of ${name} has no valid name`);
      const form = this.of(type, namespace, depth + 1);
      if (form.minBytes === 0) throw new Error(`the field ${fieldName} of ${name} takes no bytes`);
      minBytes += form.minBytes;
      return { name: fieldName, type: form.json };
    });
    return { json: { name, type: 'record', fields: forms }, minBytes };
  }

  #some(part: 'items' | 'values', schema: Attributes, namespace: string, depth: number): unknown {
    const { json, minBytes } = this.of(schema[part], namespace, depth + 1);
    if (minBytes === 0) throw new Error(`the ${part} of an ${String(schema['type'])} take no bytes`);
    return json;
  }

  /** A type may not contain itself: `boundsOf` has no limit for it. */
  #reference(name: string, namespace: string): Form {
    const primitive = PRIMITIVE_BYTES.get(name);
    if (primitive !== undefined) return { json: name, minBytes: primitive };
    const full = qualified(name, namespace);
    const minBytes = this.#defined.get(full);
    if (minBytes === undefined) throw new Error(`${name.slice(0, 200)} is used before its definition`);
    return { json: full, minBytes };
  }
}

function leafForm(name: string, type: 'enum' | 'fixed', { symbols, size }: Attributes): Form {
  if (type === 'fixed') {
    if (!Number.isSafeInteger(size) || (size as number) < 1)
      throw new Error(`${name} has no size of at least one byte`);
    return { json: { name, type, size }, minBytes: size as number };
  }
  if (!Array.isArray(symbols) || !symbols.every((symbol) => typeof symbol === 'string'))
    throw new Error(`${name} has no list of symbols`);
  return { json: { name, type, symbols }, minBytes: 1 };
}

function fullName({ name, namespace }: Attributes, enclosing: string): string {
  if (typeof name !== 'string' || !NAME.test(name)) throw new Error('a type has no valid name');
  return qualified(name, typeof namespace === 'string' ? namespace : enclosing);
}

const qualified = (name: string, namespace: string): string =>
  name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;
