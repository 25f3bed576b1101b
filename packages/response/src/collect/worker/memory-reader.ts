import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import type { EvidenceItem } from '../chain.ts';
import type { ParametersOf } from '../parameters.ts';
import type { Budget } from './budget.ts';
import { BUFFER, Content, type Reading } from './content.ts';
import { forEachLine } from './lines.ts';
import { alive, tell } from './report.ts';
import { attempt, targetPath } from './target.ts';

const AT_PAGESZ = 6;
/** Bits 63 and 62 of an entry of pagemap, in its upper half: the page is in memory or in swap. */
const RESIDENT = 0xc000_0000;
const ENTRY_BYTES = 8;
const PAGEMAP = new Uint32Array(128 * 1024);
const NAME_MAX = 256;

interface Region {
  readonly start: number;
  readonly end: number;
  readonly flags: string;
  readonly name: string;
}

/**
 * Collects the pages of a process that are in memory or in swap. Pages that it has never touched have no content of
 * their own, and reading them would make the kernel build page tables: 100 GB of them cost 200 MB.
 * @param seconds for which it may be read
 */
export function readMemory(
  reading: Reading,
  parameters: ParametersOf<'memory'>,
  source: EvidenceItem['source'],
  seconds: number,
): void {
  const memory = attempt('memory', () => openSync(targetPath('mem'), 'r'));
  if (memory === null) return;
  const content = new Content(reading, { kind: 'memory', name: 'memory', source });
  const map = new Content(reading, { kind: 'memory-map', name: 'memory-map', source });
  const reader = new MemoryReader(reading, memory, content, map);
  reading.budget.within(seconds, () => {
    for (const region of regionsOf(parameters)) if (!reader.read(region)) break;
  });
  closeSync(memory);
  reader.tellMissing();
  tell({ type: 'copied' });
  content.finish();
  map.finish();
}

/** Returns how many bytes would be read. */
export function residentBytes(
  parameters: ParametersOf<'memory'>,
  budget: Budget,
): { readonly regions: number; readonly bytes: number } {
  let [regions, bytes] = [0, 0];
  for (const region of regionsOf(parameters)) {
    regions++;
    for (const { start, end } of residentRanges(region, budget)) bytes += end - start;
  }
  return { regions, bytes };
}

class MemoryReader {
  readonly #reading: Reading;
  readonly #memory: number;
  readonly #content: Content;
  readonly #map: Content;
  #missing = 0;

  constructor(reading: Reading, memory: number, content: Content, map: Content) {
    this.#reading = reading;
    this.#memory = memory;
    this.#content = content;
    this.#map = map;
  }

  /** Returns false when a limit, or the end of the process, has ended the reading. */
  read(region: Region): boolean {
    const { start, end, flags, name } = region;
    this.#map.writeLine({ region: hex(start, end), flags, name });
    for (const range of residentRanges(region, this.#reading.budget))
      if (!this.#readRange(range.start, range.end)) return false;
    return this.#reading.budget.cut === '';
  }

  tellMissing(): void {
    if (this.#missing > 0) this.#content.note(`${this.#missing} bytes can't be read; the map has a gap for each`);
  }

  #readRange(start: number, end: number): boolean {
    for (let at = start; at < end; ) {
      const length = this.#readAt(at, Math.min(BUFFER.length, end - at));
      if (length === 0) {
        this.#content.note('the process ended while it was read');
        return false;
      }
      if (length < 0) {
        this.#map.writeLine({ missing: hex(at, Math.min(at + PAGE, end)) });
        this.#missing += Math.min(PAGE, end - at);
        at += PAGE;
        continue;
      }
      const offset = this.#content.size;
      const isAll = this.#content.write(BUFFER.subarray(0, length));
      this.#map.writeLine({ range: hex(at, at + this.#content.size - offset), offset });
      if (!isAll) return false;
      at += length;
    }
    return true;
  }

  /** Returns -1 if the page at this address can't be read. */
  #readAt(address: number, length: number): number {
    try {
      return readSync(this.#memory, BUFFER, 0, length, address);
    } catch (error) {
      if (!['EIO', 'EFAULT'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
      return -1;
    }
  }
}

const hex = (start: number, end: number): string => `${start.toString(16)}-${end.toString(16)}`;

const PAGE = pageSize();

/** Reads the auxiliary vector, which the kernel gives each process. */
function pageSize(): number {
  const words = readFileSync('/proc/self/auxv');
  for (let at = 0; at + 16 <= words.length; at += 16)
    if (words.readBigUInt64LE(at) === BigInt(AT_PAGESZ)) return Number(words.readBigUInt64LE(at + 8));
  return 4096;
}

const MAP_LINE = /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ \S+ *(.*)$/;

/** Returns the private writable regions of the process, or those that the command names. */
function regionsOf({ ranges }: ParametersOf<'memory'>): Region[] {
  if (ranges !== undefined) return ranges.map(([start, end]) => ({ start, end, flags: '', name: '' }));
  const regions: Region[] = [];
  attempt('maps', () => {
    const fd = openSync(targetPath('maps'), 'r');
    forEachLine(fd, 0, (line) => {
      const [, start = '', end = '', flags = '', name = ''] = MAP_LINE.exec(line.toString('latin1')) ?? [];
      if (flags[1] === 'w' && flags[3] === 'p') {
        const text = name.slice(0, NAME_MAX);
        regions.push({ start: Number.parseInt(start, 16), end: Number.parseInt(end, 16), flags, name: text });
      }
      return true;
    });
    closeSync(fd);
  });
  return regions;
}

interface Range {
  readonly start: number;
  readonly end: number;
}

/** Yields the ranges of a region whose pages are in memory or in swap, until a limit is reached. */
function* residentRanges({ start, end }: Region, budget: Budget): Generator<Range> {
  const pagemap = attempt('pagemap', () => openSync(targetPath('pagemap'), 'r'));
  if (pagemap === null) return;
  try {
    let from = -1;
    const last = Math.ceil(end / PAGE);
    for (let page = Math.floor(start / PAGE); page < last; ) {
      const wanted = Math.min(PAGEMAP.byteLength, (last - page) * ENTRY_BYTES);
      const length = readSync(pagemap, PAGEMAP, 0, wanted, page * ENTRY_BYTES) / ENTRY_BYTES;
      alive('pagemap');
      budget.allow(0);
      if (length < 1 || budget.cut !== '') break;
      for (let i = 0; i < length; i++) {
        const isResident = ((PAGEMAP[2 * i + 1] as number) & RESIDENT) !== 0;
        if (isResident && from < 0) from = page + i;
        if (isResident || from < 0) continue;
        yield clip(from * PAGE, (page + i) * PAGE, start, end);
        from = -1;
      }
      page += length;
    }
    if (from >= 0) yield clip(from * PAGE, end, start, end);
  } finally {
    closeSync(pagemap);
  }
}

const clip = (from: number, to: number, start: number, end: number): Range => ({
  start: Math.max(from, start),
  end: Math.min(to, end),
});
