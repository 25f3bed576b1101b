import { BpfError, usage } from '../errors.ts';
import type { Btf } from './btf.ts';
import type { BtfMember, BtfOf } from './types.ts';

/**
 * Integers and enums of up to 32 bits are numbers, those of 64 bits are bigints. Byte arrays are Uint8Arrays and
 * structs are plain objects.
 */
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
  /** Returns a copy, which later writes to the memory do not change. */
  read(view: DataView, at: number): T;
  write(view: DataView, at: number, value: T): void;
}

const MAX_DEPTH = 32;

/** Returns the codec of a type. @throws ERR_BPF_BTF when no map or global variable can hold the type */
export function codecFor(btf: Btf, id: number, depth = 0): Codec<BtfValue> {
  if (depth > MAX_DEPTH) throw new BpfError('ERR_BPF_BTF', `type ${id} is nested too deeply`);
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

/** Returns a codec of raw bytes, for keys and values whose type is unknown. */
export function bytesCodec(size: number): Codec<BtfValue> {
  return {
    size,
    read: (view, at) => new Uint8Array(view.buffer, view.byteOffset + at, size).slice(),
    write(view, at, value) {
      if (!(value instanceof Uint8Array))
        throw usage(`expected a Uint8Array of up to ${size} bytes, not ${typeof value}`);
      if (value.length > size) throw usage(`${value.length} bytes don't fit into ${size}`);
      const target = new Uint8Array(view.buffer, view.byteOffset + at, size);
      target.set(value);
      target.fill(0, value.length);
    },
  };
}

/** Returns the codec of one value per possible CPU. The kernel rounds the size of each value up to 8 bytes. */
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

/** Throws ERR_BPF_USAGE if the value does not fit: a truncated pid or address in a filter would let events through. */
function toInteger(value: BtfValue, size: number, signed: boolean, name: string): bigint {
  const isWhole = typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value));
  if (!isWhole) throw usage(`'${name}' needs an integer, not ${typeof value === 'number' ? value : typeof value}`);
  const integerValue = BigInt(value);
  const bits = size * 8;
  // Masks and ids are commonly written either as -1 or as 0xffffffff, so accept both the signed and the unsigned range.
  const min = -(1n << BigInt(bits - 1));
  if (integerValue < min || integerValue >= 1n << BigInt(bits))
    throw usage(`${integerValue} does not fit into '${name}' (${bits} bits, ${signed ? '' : 'un'}signed)`);
  return integerValue;
}

function integer(size: number, signed: boolean, name: string): Codec<BtfValue> {
  switch (size) {
    case 1:
      return {
        size,
        read: (view, at) => (signed ? view.getInt8(at) : view.getUint8(at)),
        write: (view, at, value) => view.setUint8(at, Number(BigInt.asUintN(8, toInteger(value, 1, signed, name)))),
      };
    case 2:
      return {
        size,
        read: (view, at) => (signed ? view.getInt16(at, true) : view.getUint16(at, true)),
        write: (view, at, value) =>
          view.setUint16(at, Number(BigInt.asUintN(16, toInteger(value, 2, signed, name))), true),
      };
    case 4:
      return {
        size,
        read: (view, at) => (signed ? view.getInt32(at, true) : view.getUint32(at, true)),
        write: (view, at, value) =>
          view.setUint32(at, Number(BigInt.asUintN(32, toInteger(value, 4, signed, name))), true),
      };
    case 8:
      return {
        size,
        read: (view, at) => (signed ? view.getBigInt64(at, true) : view.getBigUint64(at, true)),
        write: (view, at, value) => view.setBigUint64(at, BigInt.asUintN(64, toInteger(value, 8, signed, name)), true),
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
      if (!Array.isArray(value) || value.length !== length) throw usage(`expected an array of ${length} values`);
      for (let index = 0; index < length; index++) codec.write(view, at + index * stride, value[index] as BtfValue);
    },
  };
}

interface Field {
  readonly name: string;
  readonly at: number;
  readonly codec: Codec<BtfValue>;
}

/** Returns the codec of a struct or union. Writing an object sets the members that it omits to zero. */
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
      const input = value as { readonly [member: string]: BtfValue };
      const unknown = Object.keys(input).find((key) => !fields.some((field) => field.name === key));
      if (unknown !== undefined) throw usage(`struct '${name}' has no member '${unknown}'`);
      new Uint8Array(view.buffer, view.byteOffset + at, size).fill(0);
      for (const field of fields) {
        const member = input[field.name];
        if (member !== undefined) field.codec.write(view, at + field.at, member);
      }
    },
  };
}

/** Returns the fields of a struct. As in C, members of an anonymous struct or union belong to the enclosing struct. */
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

/**
 * Reads and writes an unsigned bit-field bit by bit: bit-fields are rare, and this is correct across byte boundaries.
 */
function bitfield(member: BtfMember): Codec<BtfValue> {
  const { bitOffset, bitSize, name } = member;
  return {
    size: Math.ceil((bitOffset + bitSize) / 8),
    read(view, at) {
      let value = 0n;
      for (let bit = bitSize - 1; bit >= 0; bit--) {
        const position = bitOffset + bit;
        value = (value << 1n) | BigInt((view.getUint8(at + (position >> 3)) >> (position & 7)) & 1);
      }
      return bitSize > 32 ? value : Number(value);
    },
    write(view, at, value) {
      const integerValue = toInteger(value, 8, false, name);
      if (integerValue < 0n || integerValue >= 1n << BigInt(bitSize))
        throw usage(`${integerValue} does not fit into the ${bitSize} bits of '${name}'`);
      for (let bit = 0; bit < bitSize; bit++) {
        const position = bitOffset + bit;
        const byte = view.getUint8(at + (position >> 3)) & ~(1 << (position & 7));
        view.setUint8(at + (position >> 3), byte | (Number((integerValue >> BigInt(bit)) & 1n) << (position & 7)));
      }
    },
  };
}
