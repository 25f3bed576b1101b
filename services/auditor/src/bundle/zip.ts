import { crc32 } from 'node:zlib';

/** A file in a container. */
export interface Member {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Bytes of a container that were read, and where they are. */
export interface PlacedMember extends Member {
  readonly offset: number;
}

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const LOCAL_BYTES = 30;
const CENTRAL_BYTES = 46;
const END_BYTES = 22;
/** 2.0, the version that every program reads */
const VERSION = 20;
/** 1 January 1980: the same members are the same bytes */
const DATE = 0x21;
/** Made on Unix */
const MADE_BY = (3 << 8) | VERSION;
/** A regular file of mode 0600 */
const ATTRIBUTES = 0o100600 * 2 ** 16;
const MAX_MEMBERS = 64;
const MAX_NAME_BYTES = 100;

/**
 * Returns a zip file whose members are stored as they are, so that any program opens it and the same members are always
 * the same bytes. Names are ASCII; all together have less than 4 GiB.
 */
export function writeZip(members: readonly Member[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const member of members) {
    const name = Buffer.from(member.name, 'latin1');
    parts.push(localHeader(member, name), name, member.bytes);
    directory.push(centralHeader(member, name, offset), name);
    offset += LOCAL_BYTES + name.length + member.bytes.length;
  }
  const entries = Buffer.concat(directory);
  const end = Buffer.alloc(END_BYTES);
  end.writeUInt32LE(END, 0);
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(entries.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, entries, end]);
}

/** The fields that both headers have, from the version on. */
function writeCommon(header: Buffer, at: number, { bytes }: Member, name: Buffer): void {
  header.writeUInt16LE(VERSION, at);
  header.writeUInt16LE(DATE, at + 8);
  header.writeUInt32LE(crc32(bytes), at + 10);
  header.writeUInt32LE(bytes.length, at + 14);
  header.writeUInt32LE(bytes.length, at + 18);
  header.writeUInt16LE(name.length, at + 22);
}

function localHeader(member: Member, name: Buffer): Buffer {
  const header = Buffer.alloc(LOCAL_BYTES);
  header.writeUInt32LE(LOCAL, 0);
  writeCommon(header, 4, member, name);
  return header;
}

function centralHeader(member: Member, name: Buffer, offset: number): Buffer {
  const header = Buffer.alloc(CENTRAL_BYTES);
  header.writeUInt32LE(CENTRAL, 0);
  header.writeUInt16LE(MADE_BY, 4);
  writeCommon(header, 6, member, name);
  header.writeUInt32LE(ATTRIBUTES, 38);
  header.writeUInt32LE(offset, 42);
  return header;
}

export interface ReadZip {
  readonly members: readonly PlacedMember[];
  /** First byte that `writeZip` would not have written so; null: there is none */
  readonly damagedAt: number | null;
}

/**
 * Reads members one after the other up to the first header that is damaged. Only what `writeZip` writes is intact: no
 * byte of the container is outside what is compared.
 */
export function readZip(bytes: Buffer): ReadZip {
  const members: PlacedMember[] = [];
  let at = 0;
  while (members.length < MAX_MEMBERS && bytes.length - at >= LOCAL_BYTES && bytes.readUInt32LE(at) === LOCAL) {
    const size = bytes.readUInt32LE(at + 18);
    const nameBytes = bytes.readUInt16LE(at + 26);
    const offset = at + LOCAL_BYTES + nameBytes;
    if (nameBytes > MAX_NAME_BYTES || offset + size > bytes.length) break;
    const name = bytes.toString('latin1', at + LOCAL_BYTES, offset);
    members.push({ name, bytes: bytes.subarray(offset, offset + size), offset });
    at = offset + size;
  }
  return { members, damagedAt: firstDifference(bytes, members) };
}

/** Compares with what the members would be written as; their contents are compared by their own hashes. */
function firstDifference(bytes: Buffer, members: readonly PlacedMember[]): number | null {
  const expected = writeZip(members);
  const length = Math.min(bytes.length, expected.length);
  if (bytes.length === expected.length && bytes.equals(expected)) return null;
  for (let at = 0; at < length; at++) if (bytes[at] !== expected[at]) return at;
  return length;
}
