import { closeSync, fstatSync, readSync } from 'node:fs';
import { openRegularFile } from '@ringfence/host-kit';
import { ProbeProblem } from './types.ts';

/** Maximum for one section. The symbols of the largest programs take about 50 MB. */
const SECTION_MAX_BYTES = 256 << 20;
const SECTIONS_MAX = 4096;
const SEGMENTS_MAX = 512;
const HEADER_BYTES = 64;
const SECTION_HEADER = 64;
const SEGMENT_HEADER = 56;
const SYMBOL = 24;
const PT_LOAD = 1;
const STT_FUNC = 2;
const MACHINES: Readonly<Record<string, number>> = { x64: 62, arm64: 183 };
const SIMILAR_MAX = 5;
const TEXT_MAX = 4096;

interface Section {
  readonly name: string;
  readonly address: number;
  readonly offset: number;
  readonly size: number;
  /** in a symbol table: index of the section with the names */
  readonly link: number;
}

interface Segment {
  readonly offset: number;
  readonly address: number;
  readonly fileBytes: number;
}

/**
 * An ELF program or library. Reads only what is requested. The input is hostile: its owner may have written anything.
 */
export class ElfFile implements Disposable {
  readonly #fd: number;
  readonly #bytes: number;
  readonly #path: string;
  readonly #sections: readonly Section[];
  readonly #segments: readonly Segment[];

  /** @throws ProbeProblem when it can't be read, or is not built for this machine */
  constructor(path: string) {
    this.#path = path;
    this.#fd = open(path);
    try {
      this.#bytes = fstatSync(this.#fd).size;
      const header = this.#read(0, Math.min(HEADER_BYTES, this.#bytes));
      if (header.length < HEADER_BYTES || header.readUInt32BE(0) !== 0x7f454c46)
        throw this.#problem('is not a program or library (ELF)');
      if (header[4] !== 2 || header[5] !== 1 || header.readUInt16LE(18) !== MACHINES[process.arch])
        throw this.#problem(`is not built for this machine (${process.arch}, 64 bits)`);
      this.#segments = this.#readSegments(header);
      this.#sections = this.#readSections(header);
    } catch (error) {
      closeSync(this.#fd);
      throw error;
    }
  }

  #problem(predicate: string): ProbeProblem {
    return new ProbeProblem(`${this.#path} ${predicate}`);
  }

  #read(offset: number, size: number): Buffer {
    if (size > SECTION_MAX_BYTES || offset + size > this.#bytes) throw this.#problem('is truncated or damaged (ELF)');
    const bytes = Buffer.alloc(size);
    for (let at = 0; at < size; ) {
      const length = readSync(this.#fd, bytes, at, size - at, offset + at);
      if (length === 0) throw this.#problem('was truncated while it was read');
      at += length;
    }
    return bytes;
  }

  #readSegments(header: Buffer): Segment[] {
    const count = header.readUInt16LE(56);
    if (count > SEGMENTS_MAX) throw this.#problem(`has ${count} segments`);
    const table = this.#read(u64At(header, 32), count * SEGMENT_HEADER);
    return Array.from({ length: count }, (_, index) => table.subarray(index * SEGMENT_HEADER))
      .filter((entry) => entry.readUInt32LE(0) === PT_LOAD)
      .map((entry) => ({ offset: u64At(entry, 8), address: u64At(entry, 16), fileBytes: u64At(entry, 32) }));
  }

  #readSections(header: Buffer): Section[] {
    const count = header.readUInt16LE(60);
    if (count > SECTIONS_MAX) throw this.#problem(`has ${count} sections`);
    const table = this.#read(u64At(header, 40), count * SECTION_HEADER);
    const entries = Array.from({ length: count }, (_, index) => table.subarray(index * SECTION_HEADER));
    const nameTable = entries[header.readUInt16LE(62)];
    const names = nameTable === undefined ? Buffer.alloc(0) : this.#read(u64At(nameTable, 24), u64At(nameTable, 32));
    return entries.map((entry) => ({
      name: textAt(names, entry.readUInt32LE(0)),
      address: u64At(entry, 16),
      offset: u64At(entry, 24),
      size: u64At(entry, 32),
      link: entry.readUInt32LE(40),
    }));
  }

  /** Returns undefined if there is no section of this name. */
  section(name: string): { readonly bytes: Buffer; readonly address: number } | undefined {
    const found = this.#sections.find((section) => section.name === name);
    return found === undefined ? undefined : { bytes: this.#read(found.offset, found.size), address: found.address };
  }

  /** Returns the file offset of the byte that is loaded at an address. @throws ProbeProblem */
  offsetOf(address: number): number {
    const segment = this.#segments.find(
      ({ address: start, fileBytes }) => address >= start && address < start + fileBytes,
    );
    if (segment === undefined) throw this.#problem(`contains nothing at its address 0x${address.toString(16)}`);
    return address - segment.address + segment.offset;
  }

  /** Returns the file offset of a function. @throws ProbeProblem that lists functions with similar names */
  functionOffset(symbol: string): number {
    const similar: string[] = [];
    for (const table of ['.symtab', '.dynsym']) {
      const section = this.#sections.find(({ name }) => name === table);
      if (section === undefined) continue;
      const address = this.#findFunction(section, symbol, similar);
      if (address !== undefined) return this.offsetOf(address);
    }
    const hint = similar.length === 0 ? '' : `; it has ${[...new Set(similar)].join(', ')}`;
    throw this.#problem(`has no function ${symbol}${hint}`);
  }

  /** Returns the function's address. Adds the names of similar functions to `similar`. */
  #findFunction({ offset, size, link }: Section, symbol: string, similar: string[]): number | undefined {
    const names = this.#sections[link];
    if (names === undefined) return undefined;
    const symbols = this.#read(offset, size);
    const texts = this.#read(names.offset, names.size);
    const wanted = Buffer.from(`${symbol}\0`);
    for (let at = 0; at + SYMBOL <= symbols.length; at += SYMBOL) {
      // Skip everything but functions that this file defines.
      if (((symbols[at + 4] ?? 0) & 0xf) !== STT_FUNC || symbols.readUInt16LE(at + 6) === 0) continue;
      const name = symbols.readUInt32LE(at);
      if (texts.compare(wanted, 0, wanted.length, name, Math.min(name + wanted.length, texts.length)) === 0)
        return u64At(symbols, at + 8);
      if (similar.length < SIMILAR_MAX && symbol.length > 3 && textAt(texts, name).includes(symbol))
        similar.push(textAt(texts, name));
    }
    return undefined;
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}

function open(path: string): number {
  try {
    const fd = openRegularFile(path);
    if (fd === null) throw new ProbeProblem(`${path} is not a file`);
    return fd;
  } catch (error) {
    if (error instanceof ProbeProblem) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new ProbeProblem(code === 'ENOENT' ? `${path} does not exist` : `${path} can't be read: ${code}`, {
      cause: error,
    });
  }
}

/** Loses precision above 2^53, which is beyond the end of every file. */
const u64At = (bytes: Buffer, at: number): number => Number(bytes.readBigUInt64LE(at));

/**
 * Returns '' if the text has no end within 4 KiB: in a damaged table, each of millions of names could span all of it.
 */
export function textAt(bytes: Buffer, at: number): string {
  const text = bytes.subarray(at, at + TEXT_MAX);
  const end = text.indexOf(0);
  return end < 0 ? '' : text.toString('utf8', 0, end);
}
