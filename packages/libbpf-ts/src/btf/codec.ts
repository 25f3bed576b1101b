import { BpfError, usage } from '../errors.ts';
import type { Btf } from './btf.ts';
import type { BtfMember, BtfOf } from './types.ts';

/** Integers up to 32 bits and enums are numbers, 64 bits bigints, byte arrays Uint8Array, structs plain objects. */
export type BtfValue =
  | number
  | bigint
  | boolean
  | Uint8Array
  | readonly BtfValue[]
  | { readonly [member: string]: BtfValue };

export interface Codec<T> {
  /** bytes */
  readonly size: number;
  /** A copy: nothing of it changes when the memory does. */
  read(view: DataView, at: number): T;
  write(view: DataView, at: number, value: T): void;
}

const MAX_DEPTH = 32;

/** @throws ERR_BPF_BTF for a type that can't be a value in a map or a global */
export function codecFor(btf: Btf, id: number, depth = 0): Codec<BtfValue> {
  if (depth > MAX_DEPTH) throw new BpfError('ERR_BPF_BTF', `type ${id} is nested too deep`);
  const type = btf.resolve(id);
  switch (type.kind) {
    case 'int':
      return type.bool ? bool : integer(type.size, type.signed, type.name);
    case 'enum':
      return integer(type.size, type.signed, type.name);
    case 'pointer':
      return integer(8, false, 'pointer');
    case 'float':
      return type.size === 4 ? float32 : float64;
    case 'array':
      return array(btf, type, depth);
    case 'struct':
    case 'union':
      return composite(btf, type.name, type.size, type.members, depth);
    case 'variable':
      return codecFor(btf, type.type, depth + 1);
    default:
      throw new BpfError('ERR_BPF_BTF', `type ${id} (${type.kind} '${type.name}') is not a value`);
  }
}

/** Bytes as they are, for keys and values whose type is not known. */
export function bytesCodec(size: number): Codec<BtfValue> {
  return {
    size,
    read: (view, at) => new Uint8Array(view.buffer, view.byteOffset + at, size).slice(),
    write(view, at, value) {
      if (!(value instanceof Uint8Array))
        throw usage(`${size} bytes must be given as a Uint8Array, not ${typeof value}`);
      if (value.length > size) throw usage(`${value.length} bytes don't fit into ${size}`);
      const target = new Uint8Array(view.buffer, view.byteOffset + at, size);
      target.set(value);
      target.fill(0, value.length);
    },
  };
}

/** One value per possible CPU, each in a slot of its own rounded up to 8 bytes. */
export function perCpuCodec(codec: Codec<BtfValue>, cpus: number): Codec<BtfValue> {
  const stride = (codec.size + 7) & ~7;
  return list(codec, stride, cpus);
}

const bool: Codec<BtfValue> = {
  size: 1,
  read: (view, at) => view.getUint8(at) !== 0,
  write: (view, at, value) => view.setUint8(at, value ? 1 : 0),
};
const float32: Codec<BtfValue> = {
  size: 4,
  read: (view, at) => view.getFloat32(at, true),
  write: (view, at, value) => view.setFloat32(at, Number(value), true),
};
const float64: Codec<BtfValue> = {
  size: 8,
  read: (view, at) => view.getFloat64(at, true),
  write: (view, at, value) => view.setFloat64(at, Number(value), true),
};

/** A value that doesn't fit is refused: a truncated pid or address in a filter is a hole. */
function whole(value: BtfValue, size: number, signed: boolean, name: string): bigint {
  const isWhole = typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value));
  if (!isWhole) throw usage(`'${name}' needs a whole number, not ${typeof value === 'number' ? value : typeof value}`);
  const wide = BigInt(value);
  const bits = size * 8;
  // Masks and ids are habitually written either way (-1 and 0xffffffff), so both readings of the bits are taken.
  const least = -(1n << BigInt(bits - 1));
  if (wide < least || wide >= 1n << BigInt(bits))
    throw usage(`${wide} does not fit into '${name}' (${bits} bits, ${signed ? '' : 'un'}signed)`);
  return wide;
}

function integer(size: number, signed: boolean, name: string): Codec<BtfValue> {
  switch (size) {
    case 1:
      return {
        size,
        read: (view, at) => (signed ? view.getInt8(at) : view.getUint8(at)),
        write: (view, at, value) => view.setUint8(at, Number(BigInt.asUintN(8, whole(value, 1, signed, name)))),
      };
    case 2:
      return {
        size,
        read: (view, at) => (signed ? view.getInt16(at, true) : view.getUint16(at, true)),
        write: (view, at, value) => view.setUint16(at, Number(BigInt.asUintN(16, whole(value, 2, signed, name))), true),
      };
    case 4:
      return {
        size,
        read: (view, at) => (signed ? view.getInt32(at, true) : view.getUint32(at, true)),
        write: (view, at, value) => view.setUint32(at, Number(BigInt.asUintN(32, whole(value, 4, signed, name))), true),
      };
    case 8:
      return {
        size,
        read: (view, at) => (signed ? view.getBigInt64(at, true) : view.getBigUint64(at, true)),
        write: (view, at, value) => view.setBigUint64(at, BigInt.asUintN(64, whole(value, 8, signed, name)), true),
      };
    default:
      return bytesCodec(size);
  }
}

function array(btf: Btf, type: BtfOf<'array'>, depth: number): Codec<BtfValue> {
  const element = btf.resolve(type.type);
  if (element.kind === 'int' && element.size === 1 && !element.bool) return bytesCodec(type.length);
  const codec = codecFor(btf, type.type, depth + 1);
  return list(codec, codec.size, type.length);
}

function list(codec: Codec<BtfValue>, stride: number, length: number): Codec<BtfValue> {
  return {
    size: stride * length,
    read: (view, at) => Array.from({ length }, (_, index) => codec.read(view, at + index * stride)),
    write(view, at, value) {
      if (!Array.isArray(value) || value.length !== length) throw usage(`an array of ${length} values is needed`);
      for (let index = 0; index < length; index++) codec.write(view, at + index * stride, value[index] as BtfValue);
    },
  };
}

interface Field {
  readonly name: string;
  readonly at: number;
  readonly codec: Codec<BtfValue>;
}

/** Members left out of an object that is written are zero. */
function composite(
  btf: Btf,
  name: string,
  size: number,
  members: readonly BtfMember[],
  depth: number,
): Codec<BtfValue> {
  const fields = fieldsOf(btf, members, 0, depth);
  return {
    size,
    read: (view, at) => Object.fromEntries(fields.map((field) => [field.name, field.codec.read(view, at + field.at)])),
    write(view, at, value) {
      if (typeof value !== 'object' || Array.isArray(value) || value instanceof Uint8Array) {
        throw usage(`struct '${name}' needs an object, not ${Array.isArray(value) ? 'an array' : typeof value}`);
      }
      const given = value as { readonly [member: string]: BtfValue };
      const unknown = Object.keys(given).find((key) => !fields.some((field) => field.name === key));
      if (unknown !== undefined) throw usage(`struct '${name}' has no member '${unknown}'`);
      new Uint8Array(view.buffer, view.byteOffset + at, size).fill(0);
      for (const field of fields) {
        const member = given[field.name];
        if (member !== undefined) field.codec.write(view, at + field.at, member);
      }
    },
  };
}

/** Members of anonymous structs and unions count as members of what holds them, as in C. */
function fieldsOf(btf: Btf, members: readonly BtfMember[], base: number, depth: number): Field[] {
  return members.flatMap((member) => {
    const at = base + Math.floor(member.bitOffset / 8);
    if (member.bitSize > 0) return [{ name: member.name, at: base, codec: bitfield(member) }];
    const type = btf.resolve(member.type);
    if (member.name === '' && (type.kind === 'struct' || type.kind === 'union')) {
      return fieldsOf(btf, type.members, at, depth + 1);
    }
    return [{ name: member.name, at, codec: codecFor(btf, member.type, depth + 1) }];
  });
}

/** Bit by bit: rare, and right whatever it straddles. Unsigned. */
function bitfield(member: BtfMember): Codec<BtfValue> {
  const { bitOffset, bitSize, name } = member;
  return {
    size: Math.ceil((bitOffset + bitSize) / 8),
    read(view, at) {
      let value = 0n;
      for (let bit = bitSize - 1; bit >= 0; bit--) {
        const place = bitOffset + bit;
        value = (value << 1n) | BigInt((view.getUint8(at + (place >> 3)) >> (place & 7)) & 1);
      }
      return bitSize > 32 ? value : Number(value);
    },
    write(view, at, value) {
      const wide = whole(value, 8, false, name);
      if (wide < 0n || wide >= 1n << BigInt(bitSize))
        throw usage(`${wide} does not fit into the ${bitSize} bits of '${name}'`);
      for (let bit = 0; bit < bitSize; bit++) {
        const place = bitOffset + bit;
        const byte = view.getUint8(at + (place >> 3)) & ~(1 << (place & 7));
        view.setUint8(at + (place >> 3), byte | (Number((wide >> BigInt(bit)) & 1n) << (place & 7)));
      }
    },
  };
}
