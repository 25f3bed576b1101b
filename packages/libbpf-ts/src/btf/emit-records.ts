import { BpfError } from '../errors.ts';
import type { Btf } from './btf.ts';
import type { BtfComposite, BtfMember, BtfOf, BtfType } from './types.ts';

export interface EmitRecordsOptions {
  /** prefix of the struct and enum names in C; the TypeScript names omit it */
  readonly prefix: string;
  /** C names of the structs and enums to emit. @default all names that begin with the prefix */
  readonly types?: readonly string[];
  /** first lines of the file, such as a note about the generator and its input */
  readonly header: string;
}

/**
 * Emits TypeScript that reads C structs from a DataView. Each field gets a small function, so reading allocates no
 * object and every call site stays monomorphic.
 *
 * `struct rf_exec` with the prefix `rf_` becomes `SIZEOF_EXEC` (bytes), `EXEC_<FIELD>` (byte offset of each field) and,
 * for each number, `exec<Field>(view, at)`, where `at` is the offset of the struct. A 64-bit field has two readers,
 * `…Lo` and `…Hi`, because a JavaScript number cannot hold it. Read a nested struct with its own readers at `at +
 * EXEC_<FIELD>`. An array also gets `EXEC_<FIELD>_LENGTH`. Padding is omitted. Enums become const objects.
 * @throws ERR_BPF_BTF for a struct with bit-fields, unions or pointers
 */
export function emitRecords(btf: Btf, options: EmitRecordsOptions): string {
  const { prefix } = options;
  const isSelected = ({ name }: BtfType): boolean => options.types?.includes(name) ?? name.startsWith(prefix);
  const missing = options.types?.filter((name) => !btf.find('struct', name) && !btf.find('enum', name)) ?? [];
  if (missing.length > 0)
    throw new BpfError('ERR_BPF_BTF', `no type information for ${missing.join(', ')}: the object does not use them`);
  const enums = btf
    .all('enum')
    .filter(isSelected)
    .map((type) => emitEnum(type, prefix));
  const structs = btf
    .all('struct')
    .filter(isSelected)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((type) => emitStruct(btf, type, prefix));
  const text = `${[options.header, ...enums.sort(), ...structs].join('\n\n')}\n`;
  checkNames(text);
  return text;
}

/** Throws ERR_BPF_BTF if two C names become the same TypeScript name: a field `x_length` next to an array `x`. */
function checkNames(text: string): void {
  const seen = new Set<string>();
  for (const [, name = ''] of text.matchAll(/^export const (\w+)/gm)) {
    if (seen.has(name))
      throw new BpfError('ERR_BPF_BTF', `two fields would both be called ${name}: rename one of them in C`);
    seen.add(name);
  }
}

const words = (name: string): string[] => name.split('_').filter((word) => word !== '');
const pascal = (name: string): string =>
  words(name)
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join('');
const camel = (name: string): string => pascal(name).replace(/^./, (first) => first.toLowerCase());

function emitEnum(type: BtfOf<'enum'>, prefix: string): string {
  const name = pascal(type.name.slice(prefix.length));
  const long = `${type.name.toUpperCase()}_`;
  const short = prefix.toUpperCase();
  const key = (value: string): string =>
    value.startsWith(long) ? value.slice(long.length) : value.slice(value.startsWith(short) ? short.length : 0);
  const lines = type.values.map(({ name: enumerator, value }) => `  ${key(enumerator)}: ${value},`);
  return [
    `/** enum ${type.name} */`,
    `export const ${name} = {`,
    ...lines,
    '} as const;',
    `export type ${name} = (typeof ${name})[keyof typeof ${name}];`,
  ].join('\n');
}

function emitStruct(btf: Btf, type: BtfComposite, prefix: string): string {
  const short = type.name.slice(prefix.length);
  const members = type.members.filter(({ name }) => !/^pad\d*$/.test(name));
  const constants = members.flatMap((member) => emitConstants(btf, short, type, member));
  const readers = members.flatMap((member) => emitReaders(btf, short, member));
  return [
    `/** struct ${type.name}: bytes, and where each field begins */`,
    `export const SIZEOF_${short.toUpperCase()} = ${type.size};`,
    ...constants,
    ...readers,
  ].join('\n');
}

function emitConstants(btf: Btf, short: string, struct: BtfComposite, member: BtfMember): string[] {
  if (member.bitSize > 0 || member.name === '') {
    throw new BpfError(
      'ERR_BPF_BTF',
      `struct ${struct.name} has a bit-field or an unnamed member, which a record must not have`,
    );
  }
  const name = `${short}_${member.name}`.toUpperCase();
  const type = btf.resolve(member.type);
  if (type.kind === 'union' || type.kind === 'pointer') {
    throw new BpfError('ERR_BPF_BTF', `${struct.name}.${member.name} is a ${type.kind}, which a record must not have`);
  }
  const note = type.kind === 'struct' ? ` // struct ${type.name}` : '';
  const lines = [`export const ${name} = ${member.bitOffset / 8};${note}`];
  if (type.kind === 'array') lines.push(`export const ${name}_LENGTH = ${type.length};`);
  return lines;
}

function emitReaders(btf: Btf, short: string, member: BtfMember): string[] {
  const type = btf.resolve(member.type);
  if (type.kind !== 'int' && type.kind !== 'enum') return [];
  const name = camel(`${short}_${member.name}`);
  const at = member.bitOffset / 8;
  switch (type.size) {
    case 1:
      return [emitReader(name, `get${type.signed ? 'Int' : 'Uint'}8`, at, false)];
    case 2:
      return [emitReader(name, `get${type.signed ? 'Int' : 'Uint'}16`, at, true)];
    case 4:
      return [emitReader(name, `get${type.signed ? 'Int' : 'Uint'}32`, at, true)];
    default:
      return [emitReader(`${name}Lo`, 'getUint32', at, true), emitReader(`${name}Hi`, 'getUint32', at + 4, true)];
  }
}

function emitReader(name: string, getter: string, at: number, wide: boolean): string {
  const place = at === 0 ? 'at' : `at + ${at}`;
  return `export const ${name} = (view: DataView, at: number): number => view.${getter}(${place}${wide ? ', true' : ''});`;
}
