import { BpfError } from './errors.ts';

const SECTION_HEADER = 64;

/** Checks for the ELF magic number and a whole ELF64 header. */
export function isElf(bytes: Uint8Array): boolean {
  return bytes.length >= 64 && bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
}

/**
 * Returns a view of a section's bytes, or undefined when the file has no section of that name. clang emits 64-bit
 * little-endian ELF for `-target bpf`.
 * @throws ERR_BPF_OPEN when the file is not a complete 64-bit little-endian ELF file
 */
export function elfSection(bytes: Uint8Array, name: string): Uint8Array | undefined {
  if (!isElf(bytes) || bytes[4] !== 2 || bytes[5] !== 1) {
    throw new BpfError('ERR_BPF_OPEN', 'not a 64-bit little-endian ELF file');
  }
  try {
    return find(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), name);
  } catch (cause) {
    throw new BpfError('ERR_BPF_OPEN', 'the ELF file is truncated or its section table is damaged', { cause });
  }
}

function find(bytes: Uint8Array, view: DataView, name: string): Uint8Array | undefined {
  const table = Number(view.getBigUint64(40, true));
  const count = view.getUint16(60, true);
  const names = sectionBytes(bytes, view, table + view.getUint16(62, true) * SECTION_HEADER);
  const wanted = Buffer.from(`${name}\0`, 'latin1');
  for (let index = 0; index < count; index++) {
    const header = table + index * SECTION_HEADER;
    const at = view.getUint32(header, true);
    if (wanted.equals(names.subarray(at, at + wanted.length))) return sectionBytes(bytes, view, header);
  }
  return undefined;
}

function sectionBytes(bytes: Uint8Array, view: DataView, header: number): Uint8Array {
  const offset = Number(view.getBigUint64(header + 24, true));
  const size = Number(view.getBigUint64(header + 32, true));
  if (offset + size > bytes.length) throw new RangeError(`section at ${offset} of ${size} bytes`);
  return bytes.subarray(offset, offset + size);
}
