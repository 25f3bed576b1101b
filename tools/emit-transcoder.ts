/** TypeScript that writes a record of bpf/ringfence.h as the Avro body of the same name, field by field, from where the kernel wrote it. */
import type { Btf } from '@ringfence/libbpf-ts';
import type { BtfMember, BtfOf, BtfType } from '../packages/libbpf-ts/src/btf/types.ts';
import { layouts } from '../packages/schema/src/layout.ts';
import { schemaOf } from '../packages/schema/src/schemas.ts';

type Schema = string | { readonly name?: string; readonly type: Schema; readonly fields?: readonly SchemaField[] };
interface SchemaField {
  readonly name: string;
  readonly type: Schema;
}
type Struct = BtfOf<'struct'>;

/** A statement that writes a field; `bytes`: that it needs room for, 0: it makes its own. */
interface Write {
  readonly line: string;
  readonly bytes: number;
}

const HEADER = 'h';
const LONG_BYTES = 10;
/** Beside these, names are told apart by their words only: C's `parent_tgid` is Avro's `parentTgid`. */
const camel = (name: string): string => name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
const pascal = (name: string): string => camel(`_${name}`);

/** Names of the schema's records and fixed types, as they are met. */
class Names {
  readonly #known = new Map<string, Schema>();

  see(schema: Schema): void {
    if (typeof schema === 'string') return;
    if (Array.isArray(schema)) for (const one of schema as readonly Schema[]) this.see(one);
    if (schema.name !== undefined) this.#known.set(schema.name, schema);
    if (typeof schema.type === 'object') this.see(schema.type);
    for (const { type } of schema.fields ?? []) this.see(type);
  }

  /** The definition behind a name; of a primitive, its name. */
  resolve(schema: Schema): Schema {
    const named = typeof schema === 'string' ? (this.#known.get(schema) ?? schema) : schema;
    return typeof named === 'object' && typeof named.type === 'object' ? this.resolve(named.type) : named;
  }
}

class Emitter {
  readonly #btf: Btf;
  readonly #names = new Names();
  readonly #parts = new Map<string, string>();

  constructor(btf: Btf) {
    this.#btf = btf;
    this.#names.see(schemaOf('Event') as unknown as Schema);
  }

  get parts(): readonly string[] {
    return [...this.#parts.values()];
  }

  struct(name: string): Struct {
    const found = this.#btf.find('struct', name);
    if (found === undefined) throw new TypeError(`bpf/ringfence.h has no struct ${name}`);
    let end = 0;
    for (const { name: member, bitOffset, type } of found.members) {
      // What the compiler leaves between two members is whatever was in memory there.
      if (bitOffset / 8 !== end)
        throw new TypeError(`struct ${name} has a hole before ${member}: write it down as pad`);
      end += this.#btf.sizeOf(type);
    }
    if (end !== found.size) throw new TypeError(`struct ${name} ends in a hole: write it down as pad`);
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

  /** The fields of `record`, from `struct`. */
  fields(record: string, struct: Struct): readonly Write[] {
    const members = new Map(this.members(struct).map((member) => [camel(member.name), member]));
    const written = this.fieldsOf(record).map(({ name, type }) => {
      const member = members.get(name);
      if (member === undefined) throw new TypeError(`${struct.name} has nothing for ${record}.${name}`);
      members.delete(name);
      return this.#field(struct, member, type);
    });
    if (members.size > 0) throw new TypeError(`${record} has nothing for ${[...members.keys()]} of ${struct.name}`);
    return written;
  }

  #field(struct: Struct, member: BtfMember, type: Schema): Write {
    const schema = this.#names.resolve(type);
    const memberType = this.#btf.resolve(member.type);
    const place = placeOf(member);
    if (typeof schema === 'object') return this.#complex(memberType, place, schema, member);
    if (schema === 'bytes') return { line: addressLine(this.members(struct), member), bytes: 0 };
    if (memberType.kind !== 'int' && memberType.kind !== 'enum') throw mismatch(member, schema);
    if (schema === 'boolean') return { line: `out.boolean(${read(memberType, place)} !== 0);`, bytes: 1 };
    if (schema !== 'int' && schema !== 'long') throw mismatch(member, schema);
    // Of 64 bits only times become numbers: ns, as µs.
    const value =
      memberType.size === 8
        ? `signedMicros(view.getUint32(${place}, true), view.getUint32(${placeOf(member, 4)}, true))`
        : read(schema === 'int' && memberType.size === 4 ? { ...memberType, signed: true } : memberType, place);
    return { line: `out.long(${value});`, bytes: LONG_BYTES };
  }

  #complex(type: BtfType, place: string, schema: Exclude<Schema, string>, member: BtfMember): Write {
    if (schema.name === 'U64') return { line: `out.fixed(bytes, ${place}, 8);`, bytes: 8 };
    if (type.kind !== 'struct' || schema.name === undefined) throw mismatch(member, schema.name);
    if (schema.name === 'Text') return { line: `writeText(out, view, bytes, at, ${place});`, bytes: 0 };
    const fields = this.fields(schema.name, type);
    const name = `write${schema.name}`;
    this.#parts.set(
      name,
      emitFunction(
        name,
        fields.map(({ line }) => line),
      ),
    );
    return { line: `${name}(out, view, bytes, ${place});`, bytes: sumOf(fields) };
  }
}

const sumOf = (writes: readonly Write[]): number => writes.reduce((sum, { bytes }) => sum + bytes, 0);

/** Room is made for all up to the next that makes its own, and after that again. */
function withRoom(writes: readonly Write[]): string[] {
  const grows = writes.findIndex(({ bytes }) => bytes === 0);
  const run = grows < 0 ? writes : writes.slice(0, grows);
  const room = sumOf(run) === 0 ? [] : [`out.ensure(${sumOf(run)});`];
  const rest = grows < 0 ? [] : [(writes[grows] as Write).line, ...withRoom(writes.slice(grows + 1))];
  return [...room, ...run.map(({ line }) => line), ...rest];
}

const mismatch = (member: BtfMember, wanted: unknown): TypeError =>
  new TypeError(`the C type of ${member.name} does not become ${String(wanted)}`);

const placeOf = ({ bitOffset }: BtfMember, more = 0): string =>
  bitOffset / 8 + more === 0 ? 'at' : `at + ${bitOffset / 8 + more}`;

function read({ size, signed }: { readonly size: number; readonly signed: boolean }, place: string): string {
  const getter = `get${signed ? 'Int' : 'Uint'}${size * 8}`;
  return `view.${getter}(${size === 1 ? place : `${place}, true`})`;
}

/** An address is as long as its family says; a local one is none while nothing is bound. */
function addressLine(members: readonly BtfMember[], address: BtfMember): string {
  const find = (name: string): BtfMember => {
    const found = members.find((member) => member.name === name);
    if (found === undefined) throw new TypeError(`${address.name} needs ${name} beside it`);
    return found;
  };
  const length = `addressBytes(view.getUint16(${placeOf(find('family'))}, true))`;
  if (!address.name.startsWith('local_')) return `out.bytes(bytes, ${placeOf(address)}, ${length});`;
  const bound = `view.getUint16(${placeOf(find('local_port'))}, true) === 0`;
  return `out.bytes(bytes, ${placeOf(address)}, ${bound} ? 0 : ${length});`;
}

const emitFunction = (name: string, lines: readonly string[]): string =>
  [
    `function ${name}(out: AvroWriter, view: DataView, bytes: Buffer, at: number): void {`,
    ...lines.map((line) => `  ${line}`),
    '}',
  ].join('\n');

/** `header`: first lines of the file. Throws TypeError where the two don't fit. */
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
  const textPlaces = ({ texts }: { readonly texts: readonly BtfMember[] }): string =>
    `[${texts.map(({ bitOffset }) => bitOffset / 8).join(', ')}]`;
  const byKind = <T>(get: (kind: (typeof kinds)[number]) => T, none: T): T[] =>
    Array.from({ length: Math.max(...kinds.map(({ value }) => value)) + 1 }, (_, kind) => {
      const one = kinds.find(({ value }) => value === kind);
      return one === undefined ? none : get(one);
    });
  const writers = kinds.map(({ record, writes }) => emitFunction(`write${record}`, withRoom(writes)));
  return `${[
    header,
    "import type { AvroWriter } from '@ringfence/schema';\nimport { addressBytes, signedMicros, writeText } from '../steps/write-field.ts';",
    [
      '/** By enum rf_kind: bytes of the part that each has; 0: there is no such kind. */',
      `export const FIXED_BYTES: Int32Array = Int32Array.of(${byKind(({ struct }) => struct.size, 0).join(', ')});`,
    ].join('\n'),
    [
      '/** By enum rf_kind: where its texts are told. */',
      `export const TEXTS: readonly (readonly number[])[] = [${byKind(textPlaces, '[]').join(', ')}];`,
    ].join('\n'),
    ...emitter.parts,
    ...writers,
    [
      '/** `kind`: one that FIXED_BYTES knows */',
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
