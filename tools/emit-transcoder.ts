/**
 * Emits TypeScript that converts records of bpf/ringfence.h in place to the Avro body of the same name, field by field.
 */
import type { Btf, BtfMember, BtfOf, BtfType } from '@ringfence/libbpf-ts';
import { layouts, schemaOf } from '@ringfence/wire';

type Schema = string | { readonly name?: string; readonly type: Schema; readonly fields?: readonly SchemaField[] };
interface SchemaField {
  readonly name: string;
  readonly type: Schema;
}
type Struct = BtfOf<'struct'>;

/** A statement that writes a field. `bytes` is the space that it needs; 0 if it reserves its own space. */
interface Write {
  readonly line: string;
  readonly bytes: number;
}

const HEADER = 'h';
const LONG_BYTES = 10;
/** Converts names of C to names of Avro: `parent_tgid` becomes `parentTgid`. */
const camel = (name: string): string => name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
const pascal = (name: string): string => camel(`_${name}`);

/** The named types of a schema: records and fixed types. */
class NamedSchemas {
  readonly #schemas = new Map<string, Schema>();

  collect(schema: Schema): void {
    if (typeof schema === 'string') return;
    if (Array.isArray(schema)) for (const branch of schema as readonly Schema[]) this.collect(branch);
    if (schema.name !== undefined) this.#schemas.set(schema.name, schema);
    if (typeof schema.type === 'object') this.collect(schema.type);
    for (const { type } of schema.fields ?? []) this.collect(type);
  }

  /** Returns the definition of a named type. Returns a primitive type as it is. */
  resolve(schema: Schema): Schema {
    const named = typeof schema === 'string' ? (this.#schemas.get(schema) ?? schema) : schema;
    return typeof named === 'object' && typeof named.type === 'object' ? this.resolve(named.type) : named;
  }
}

class Emitter {
  readonly #btf: Btf;
  readonly #names = new NamedSchemas();
  readonly #parts = new Map<string, string>();

  constructor(btf: Btf) {
    this.#btf = btf;
    this.#names.collect(schemaOf('Event') as unknown as Schema);
  }

  get parts(): readonly string[] {
    return [...this.#parts.values()];
  }

  struct(name: string): Struct {
    const found = this.#btf.find('struct', name);
    if (found === undefined) throw new TypeError(`bpf/ringfence.h has no struct ${name}`);
    let end = 0;
    for (const { name: member, bitOffset, type } of found.members) {
      // A hole between members would contain uninitialised memory.
      if (bitOffset / 8 !== end) throw new TypeError(`struct ${name} has a hole before ${member}: declare it as pad`);
      end += this.#btf.sizeOf(type);
    }
    if (end !== found.size) throw new TypeError(`struct ${name} ends in a hole: declare it as pad`);
    return found;
  }

  members(struct: Struct): readonly BtfMember[] {
    return struct.members.filter(({ name }) => name !== HEADER && !/^pad\d*$/.test(name));
  }

  isText(member: BtfMember): boolean {
    return this.#btf.resolve(member.type).name === 'rf_text';
  }

  fieldsOf(record: string): readonly SchemaField[] {
    const schema = this.#names.resolve(record);
    if (typeof schema !== 'object' || schema.fields === undefined)
      throw new TypeError(`event.avsc has no record ${record}`);
    return schema.fields;
  }

  /** Returns the statements that write the fields of `record` from `struct`. */
  fields(record: string, struct: Struct): readonly Write[] {
    const members = new Map(this.members(struct).map((member) => [camel(member.name), member]));
    const written = this.fieldsOf(record).map(({ name, type }) => {
      const member = members.get(name);
      if (member === undefined) throw new TypeError(`${struct.name} has no member for ${record}.${name}`);
      members.delete(name);
      return this.#field(struct, member, type);
    });
    if (members.size > 0) throw new TypeError(`${record} has no field for ${[...members.keys()]} of ${struct.name}`);
    return written;
  }

  #field(struct: Struct, member: BtfMember, type: Schema): Write {
    const schema = this.#names.resolve(type);
    const memberType = this.#btf.resolve(member.type);
    const offset = offsetOf(member);
    if (typeof schema === 'object') return this.#complex(memberType, offset, schema, member);
    if (schema === 'bytes') return { line: addressLine(this.members(struct), member), bytes: 0 };
    if (memberType.kind !== 'int' && memberType.kind !== 'enum') throw mismatch(member, schema);
    if (schema === 'boolean') return { line: `out.boolean(${read(memberType, offset)} !== 0);`, bytes: 1 };
    if (schema !== 'int' && schema !== 'long') throw mismatch(member, schema);
    // The only 64-bit integers that become numbers are times, which are converted from ns to µs.
    const value =
      memberType.size === 8
        ? `signedMicros(view.getUint32(${offset}, true), view.getUint32(${offsetOf(member, 4)}, true))`
        : read(schema === 'int' && memberType.size === 4 ? { ...memberType, signed: true } : memberType, offset);
    return { line: `out.long(${value});`, bytes: LONG_BYTES };
  }

  #complex(type: BtfType, offset: string, schema: Exclude<Schema, string>, member: BtfMember): Write {
    if (schema.name === 'U64') return { line: `out.fixed(bytes, ${offset}, 8);`, bytes: 8 };
    if (type.kind !== 'struct' || schema.name === undefined) throw mismatch(member, schema.name);
    if (schema.name === 'Text') return { line: `writeText(out, view, bytes, at, ${offset});`, bytes: 0 };
    const fields = this.fields(schema.name, type);
    const name = `write${schema.name}`;
    this.#parts.set(
      name,
      emitFunction(
        name,
        fields.map(({ line }) => line),
      ),
    );
    return { line: `${name}(out, view, bytes, ${offset});`, bytes: sumOf(fields) };
  }
}

const sumOf = (writes: readonly Write[]): number => writes.reduce((sum, { bytes }) => sum + bytes, 0);

/** Reserves space once for each run of statements up to a statement that reserves its own space. */
function withRoom(writes: readonly Write[]): string[] {
  const firstGrowing = writes.findIndex(({ bytes }) => bytes === 0);
  const run = firstGrowing < 0 ? writes : writes.slice(0, firstGrowing);
  const ensure = sumOf(run) === 0 ? [] : [`out.ensure(${sumOf(run)});`];
  const rest =
    firstGrowing < 0 ? [] : [(writes[firstGrowing] as Write).line, ...withRoom(writes.slice(firstGrowing + 1))];
  return [...ensure, ...run.map(({ line }) => line), ...rest];
}

const mismatch = (member: BtfMember, schema: unknown): TypeError =>
  new TypeError(`the C type of ${member.name} cannot become ${String(schema)}`);

const offsetOf = ({ bitOffset }: BtfMember, extraBytes = 0): string =>
  bitOffset / 8 + extraBytes === 0 ? 'at' : `at + ${bitOffset / 8 + extraBytes}`;

function read({ size, signed }: { readonly size: number; readonly signed: boolean }, offset: string): string {
  const getter = `get${signed ? 'Int' : 'Uint'}${size * 8}`;
  return `view.${getter}(${size === 1 ? offset : `${offset}, true`})`;
}

/** The length of an address depends on its family. A local address is empty while the socket is not bound. */
function addressLine(members: readonly BtfMember[], address: BtfMember): string {
  const find = (name: string): BtfMember => {
    const found = members.find((member) => member.name === name);
    if (found === undefined) throw new TypeError(`${address.name} needs a member ${name}`);
    return found;
  };
  const length = `addressBytes(view.getUint16(${offsetOf(find('family'))}, true))`;
  if (!address.name.startsWith('local_')) return `out.bytes(bytes, ${offsetOf(address)}, ${length});`;
  const bound = `view.getUint16(${offsetOf(find('local_port'))}, true) === 0`;
  return `out.bytes(bytes, ${offsetOf(address)}, ${bound} ? 0 : ${length});`;
}

const emitFunction = (name: string, lines: readonly string[]): string =>
  [
    `function ${name}(out: AvroWriter, view: DataView, bytes: Buffer, at: number): void {`,
    ...lines.map((line) => `  ${line}`),
    '}',
  ].join('\n');

/** Returns the text of the file, which starts with `header`. Throws TypeError if structs and records do not match. */
export function emitTranscoder(btf: Btf, header: string): string {
  const emitter = new Emitter(btf);
  const kinds = (btf.find('enum', 'rf_kind')?.values ?? []).map(({ name, value }) => {
    const struct = emitter.struct(name.toLowerCase());
    const record = pascal(name.replace(/^RF_/, '').toLowerCase());
    const branch = layouts.findIndex((layout) => layout.name === record);
    const writes = [{ line: `out.long(${branch});`, bytes: LONG_BYTES }, ...emitter.fields(record, struct)];
    const texts = emitter.members(struct).filter((member) => emitter.isText(member));
    return { value: Number(value), struct, record, writes, texts };
  });
  const textOffsets = ({ texts }: { readonly texts: readonly BtfMember[] }): string =>
    `[${texts.map(({ bitOffset }) => bitOffset / 8).join(', ')}]`;
  const byKind = <T>(get: (kind: (typeof kinds)[number]) => T, absent: T): T[] =>
    Array.from({ length: Math.max(...kinds.map(({ value }) => value)) + 1 }, (_, kind) => {
      const entry = kinds.find(({ value }) => value === kind);
      return entry === undefined ? absent : get(entry);
    });
  const writers = kinds.map(({ record, writes }) => emitFunction(`write${record}`, withRoom(writes)));
  return `${[
    header,
    "import type { AvroWriter } from '@ringfence/wire';\nimport { addressBytes, signedMicros, writeText } from './write-field.ts';",
    [
      '/** Bytes of the fixed part of a record, by enum rf_kind; 0 for unknown kinds. */',
      `export const FIXED_BYTES: Int32Array = Int32Array.of(${byKind(({ struct }) => struct.size, 0).join(', ')});`,
    ].join('\n'),
    [
      '/** Offsets of the text descriptors of a record, by enum rf_kind. */',
      `export const TEXTS: readonly (readonly number[])[] = [${byKind(textOffsets, '[]').join(', ')}];`,
    ].join('\n'),
    ...emitter.parts,
    ...writers,
    [
      '/** Writes the body of a record, whose kind must be known to FIXED_BYTES. */',
      'export function writeBody(kind: number, out: AvroWriter, view: DataView, bytes: Buffer, at: number): void {',
      '  switch (kind) {',
      ...kinds.flatMap(({ value, record }) => [
        `    case ${value}:`,
        `      write${record}(out, view, bytes, at);`,
        '      break;',
      ]),
      '  }',
      '}',
    ].join('\n'),
  ].join('\n\n')}\n`;
}
