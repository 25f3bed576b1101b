import { closeSync, fstatSync, readSync } from 'node:fs';
import { openFile } from '@ringfence/host-kit';
import { ProbeProblem } from './types.ts';

/** Of one section: the symbols of the largest programs have some 50 MB. */
const SECTION_MAX_BYTES = 256 << 20;
const SECTIONS_MAX = 4096;
const SEGMENTS_MAX = 512;
const HEADER_BYTES = 64;
const SECTION_HEADER = 64;
const SEGMENT_HEADER = 56;
const SYMBOL = 24;
const PT_LOAD = 1;
const FUNCTION = 2;
const MACHINES: Readonly<Record<string, number>> = { x64: 62, arm64: 183 };

interface Section {
  readonly name: string;
  readonly address: number;
  readonly offset: number;
  readonly size: number;
  /** of a table of symbols: the section with their names */
  readonly link: number;
}

interface Segment {
  readonly offset: number;
  readonly address: number;
  readonly fileBytes: number;
}

/** A program or a library, of which only what is asked for is read. Hostile input: whoever owns it has written it. */
export class ElfFile implements Disposable {
  readonly #fd: number;
  readonly #bytes: number;
  readonly #path: string;
  readonly #sections: readonly Section[];
  readonly #segments: readonly Segment[];

  /** @throws ProbeProblem when it can't be read, or is none for this machine */
  constructor(path: string) {
    this.#path = path;
    this.#fd = open(path);
    try {
      this.#bytes = fstatSync(this.#fd).size;
      const header = this.#read(0, Math.min(HEADER_BYTES, this.#bytes));
      if (header.length < HEADER_BYTES || header.readUInt32BE(0) !== 0x7f454c46)
        throw this.#problem('is no program or library (ELF)');
      if (header[4] !== 2 || header[5] !== 1 || header.readUInt16LE(18) !== MACHINES[process.arch])
        throw this.#problem(`is not made for this machine (${process.arch}, 64 bits)`);
      this.#segments = this.#readSegments(header);
      this.#sections = this.#readSections(header);
    } catch (error) {
      closeSync(this.#fd);
      throw error;
    }
  }

  #problem(what: string): ProbeProblem {
    return new ProbeProblem(`${this.#path} ${what}`);
  }

  #read(offset: number, size: number): Buffer {
    if (size > SECTION_MAX_BYTES || offset + size > this.#bytes) throw this.#problem('is cut short or damaged (ELF)');
    const bytes = Buffer.alloc(size);
    for (let at = 0; at < size; ) {
      const got = readSync(this.#fd, bytes, at, size - at, offset + at);
      if (got === 0) throw this.#problem('has become shorter while it was read');
      at += got;
    }
    return bytes;
  }

  #readSegments(header: Buffer): Segment[] {
    const count = header.readUInt16LE(56);
    if (count > SEGMENTS_MAX) throw this.#problem(`has ${count} segments`);
    const table = this.#read(number(header, 32), count * SEGMENT_HEADER);
    return Array.from({ length: count }, (_, index) => table.subarray(index * SEGMENT_HEADER))
      .filter((one) => one.readUInt32LE(0) === PT_LOAD)
      .map((one) => ({ offset: number(one, 8), address: number(one, 16), fileBytes: number(one, 32) }));
  }

  #readSections(header: Buffer): Section[] {
    const count = header.readUInt16LE(60);
    if (count > SECTIONS_MAX) throw this.#problem(`has ${count} sections`);
    const table = this.#read(number(header, 40), count * SECTION_HEADER);
    const raw = Array.from({ length: count }, (_, index) => table.subarray(index * SECTION_HEADER));
    const named = raw[header.readUInt16LE(62)];
    const names = named === undefined ? Buffer.alloc(0) : this.#read(number(named, 24), number(named, 32));
    return raw.map((one) => ({
      name: textAt(names, one.readUInt32LE(0)),
      address: number(one, 16),
      offset: number(one, 24),
      size: number(one, 32),
      link: one.readUInt32LE(40),
    }));
  }

  /** undefined: there is none of that name */
  section(name: string): { readonly bytes: Buffer; readonly address: number } | undefined {
    const found = this.#sections.find((section) => section.name === name);
    return found === undefined ? undefined : { bytes: this.#read(found.offset, found.size), address: found.address };
  }

  /** Where in the file stands what is at that address when it runs. @throws ProbeProblem */
  offsetOf(address: number): number {
    const found = this.#segments.find((one) => address >= one.address && address < one.address + one.fileBytes);
    if (found === undefined) throw this.#problem(`has nothing at its address 0x${address.toString(16)}`);
    return address - found.address + found.offset;
  }

  /** Where in the file a function begins. @throws ProbeProblem that names those that are like it */
  functionOffset(symbol: string): number {
    const near: string[] = [];
    for (const table of ['.symtab', '.dynsym']) {
      const section = this.#sections.find(({ name }) => name === table);
      if (section === undefined) continue;
      const address = this.#find(section, symbol, near);
      if (address !== undefined) return this.offsetOf(address);
    }
    const hint = near.length === 0 ? '' : `; it has ${[...new Set(near)].join(', ')}`;
    throw this.#problem(`has no function ${symbol}${hint}`);
  }

  #find({ offset, size, link }: Section, symbol: string, near: string[]): number | undefined {
    const names = this.#sections[link];
    if (names === undefined) return undefined;
    const symbols = this.#read(offset, size);
    const texts = this.#read(names.offset, names.size);
    const wanted = Buffer.from(`${symbol}\0`);
    for (let at = 0; at + SYMBOL <= symbols.length; at += SYMBOL) {
      // no function, or one that another file has
      if (((symbols[at + 4] ?? 0) & 0xf) !== FUNCTION || symbols.readUInt16LE(at + 6) === 0) continue;
      const name = symbols.readUInt32LE(at);
      if (texts.compare(wanted, 0, wanted.length, name, Math.min(name + wanted.length, texts.length)) === 0)
        return number(symbols, at + 8);
      if (near.length < NEAR_MAX && symbol.length > 3 && textAt(texts, name).includes(symbol))
        near.push(textAt(texts, name));
    }
    return undefined;
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}

const NEAR_MAX = 5;
const TEXT_MAX = 4096;

function open(path: string): number {
  try {
    const fd = openFile(path);
    if (fd === null) throw new ProbeProblem(`${path} is no file`);
    return fd;
  } catch (error) {
    if (error instanceof ProbeProblem) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new ProbeProblem(code === 'ENOENT' ? `${path} is not there` : `${path} can't be read: ${code}`, {
      cause: error,
    });
  }
}

/** What is beyond 2^53 is beyond every file too. */
const number = (bytes: Buffer, at: number): number => Number(bytes.readBigUInt64LE(at));

/** '' when it has no end within 4 KiB: in a damaged table each of millions of names could be all of it. */
export function textAt(bytes: Buffer, at: number): string {
  const text = bytes.subarray(at, at + TEXT_MAX);
  const end = text.indexOf(0);
  return end < 0 ? '' : text.toString('utf8', 0, end);
}
