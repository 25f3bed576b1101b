import { BpfError } from '../errors.ts';
import type { BtfEnumerator, BtfMember, BtfSectionVariable, BtfType } from './types.ts';

const MAGIC = 0xeb9f;
const HEADER = 24;
const decoder = new TextDecoder('latin1');

/** The parser's position. Types follow each other; the length of each depends on its kind. */
class Cursor {
  readonly view: DataView;
  readonly strings: Uint8Array;
  at: number;

  constructor(view: DataView, strings: Uint8Array, at: number) {
    this.view = view;
    this.strings = strings;
    this.at = at;
  }

  u32(): number {
    const value = this.view.getUint32(this.at, true);
    this.at += 4;
    return value;
  }

  name(): string {
    const start = this.u32();
    const end = this.strings.indexOf(0, start);
    if (end < 0) throw new RangeError(`string ${start} does not end`);
    return decoder.decode(this.strings.subarray(start, end));
  }

  /** Reads `length` items. Callers pass `vlen`, which has 16 bits, so a hostile file cannot make the list long. */
  list<T>(length: number, read: () => T): T[] {
    return Array.from({ length }, read);
  }
}

/**
 * Parses the BTF of an object's .BTF section or of the kernel. Supports little-endian only.
 * @throws ERR_BPF_BTF when the bytes are truncated or malformed
 */
export function parseBtf(bytes: Uint8Array): BtfType[] {
  try {
    return parse(bytes);
  } catch (cause) {
    throw new BpfError('ERR_BPF_BTF', `the type information (BTF) is malformed: ${(cause as Error).message}`, {
      cause,
    });
  }
}

function parse(bytes: Uint8Array): BtfType[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint16(0, true) !== MAGIC) throw new RangeError('wrong magic number');
  const header = view.getUint32(4, true);
  if (header < HEADER) throw new RangeError(`header of ${header} bytes`);
  const start = header + view.getUint32(8, true);
  const end = start + view.getUint32(12, true);
  const strings = header + view.getUint32(16, true);
  const stringsEnd = strings + view.getUint32(20, true);
  if (end > bytes.length || stringsEnd > bytes.length) throw new RangeError('truncated');
  const cursor = new Cursor(view, bytes.subarray(strings, stringsEnd), start);
  const types: BtfType[] = [{ kind: 'void', name: 'void' }];
  while (cursor.at < end) types.push(readType(cursor));
  return types;
}

function readType(cursor: Cursor): BtfType {
  const name = cursor.name();
  const info = cursor.u32();
  const third = cursor.u32();
  const vlen = info & 0xffff;
  const flag = info >>> 31 === 1;
  switch ((info >>> 24) & 0x1f) {
    case 1:
      return readInt(cursor, name, third);
    case 2:
      return { kind: 'pointer', name, type: third };
    case 3: {
      const type = cursor.u32();
      cursor.u32();
      return { kind: 'array', name, type, length: cursor.u32() };
    }
    case 4:
      return { kind: 'struct', name, size: third, members: readMembers(cursor, vlen, flag) };
    case 5:
      return { kind: 'union', name, size: third, members: readMembers(cursor, vlen, flag) };
    case 6:
      return { kind: 'enum', name, size: third, signed: flag, values: readEnum32(cursor, vlen, flag) };
    case 8:
      return { kind: 'typedef', name, type: third };
    case 9: // volatile
    case 10: // const
    case 11: // restrict
    case 18: // type tag
      return { kind: 'modifier', name, type: third };
    case 12:
      return { kind: 'function', name, type: third };
    case 14:
      cursor.u32();
      return { kind: 'variable', name, type: third };
    case 15:
      return { kind: 'section', name, size: third, variables: readVariables(cursor, vlen) };
    case 16:
      return { kind: 'float', name, size: third };
    case 19:
      return { kind: 'enum', name, size: third, signed: flag, values: readEnum64(cursor, vlen, flag) };
    default:
      return skipOther(cursor, name, (info >>> 24) & 0x1f, vlen);
  }
}

function skipOther(cursor: Cursor, name: string, kind: number, vlen: number): BtfType {
  if (kind === 13)
    cursor.at += 8 * vlen; // prototype
  else if (kind === 17)
    cursor.at += 4; // declaration tag
  else if (kind !== 7) throw new RangeError(`unknown kind ${kind}`);
  return { kind: 'other', name };
}

function readInt(cursor: Cursor, name: string, size: number): BtfType {
  const encoding = cursor.u32();
  const flags = (encoding >>> 24) & 0xf;
  return { kind: 'int', name, size, signed: (flags & 1) !== 0, bool: (flags & 4) !== 0, bits: encoding & 0xff };
}

function readMembers(cursor: Cursor, vlen: number, bitfields: boolean): BtfMember[] {
  return cursor.list(vlen, () => {
    const name = cursor.name();
    const type = cursor.u32();
    const offset = cursor.u32();
    return bitfields
      ? { name, type, bitOffset: offset & 0xff_ffff, bitSize: offset >>> 24 }
      : { name, type, bitOffset: offset, bitSize: 0 };
  });
}

function readEnum32(cursor: Cursor, vlen: number, signed: boolean): BtfEnumerator[] {
  return cursor.list(vlen, () => {
    const name = cursor.name();
    const value = cursor.u32();
    return { name, value: BigInt(signed ? value | 0 : value) };
  });
}

function readEnum64(cursor: Cursor, vlen: number, signed: boolean): BtfEnumerator[] {
  return cursor.list(vlen, () => {
    const name = cursor.name();
    const value = BigInt(cursor.u32()) | (BigInt(cursor.u32()) << 32n);
    return { name, value: signed ? BigInt.asIntN(64, value) : value };
  });
}

function readVariables(cursor: Cursor, vlen: number): BtfSectionVariable[] {
  return cursor.list(vlen, () => ({ type: cursor.u32(), offset: cursor.u32(), size: cursor.u32() }));
}
