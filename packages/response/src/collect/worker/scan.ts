import { readFileSync, readSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { messageOf } from '@ringfence/base';
import { readBounded } from '@ringfence/host-kit';
import type { EvidenceItem } from '../chain.ts';
import type { Budget } from './budget.ts';
import { alive } from './report.ts';

const RULES_MAX = 16 << 20;
/** A content that is larger is scanned in parts, because the scanner takes a copy of what it scans. */
const PART = 64 << 20;
const OVERLAP = 1 << 20;
const PATTERN_MATCHES = 16;
/** A part is scanned in one call; nothing is told in it. */
const PART_MS = 10_000;

type Matches = EvidenceItem['matches'];
type Found = Matches[number] & { readonly at: string[] };

/** What the scanner returns, as the documentation of @virustotal/yara-x has it */
interface ScanResult {
  readonly matches: readonly {
    readonly identifier: string;
    readonly namespace: string;
    readonly tags: readonly string[];
    readonly patterns: readonly {
      readonly identifier: string;
      readonly matches: readonly { readonly offset: number }[];
    }[];
  }[];
}

interface Scanner {
  scan(payload: Uint8Array): ScanResult;
  setMaxMatchesPerPattern(n: number): void;
  setTimeoutMs(ms: number): void;
}

/** A scan of contents by YARA rules, in this process and within its limits. */
export class Scan {
  readonly #scanner: Scanner;

  constructor(scanner: Scanner) {
    this.#scanner = scanner;
  }

  /** Never throws: what could not be scanned is a note. */
  scan(fd: number, size: number, budget: Budget, note: (text: string) => void): Matches {
    const found = new Map<string, Found>();
    if (size > PART) note(`scanned in parts of ${PART} bytes: conditions on the file as a whole don't hold`);
    for (let at = 0; at < size; at += PART - OVERLAP) {
      const bytes = Buffer.allocUnsafe(Math.min(PART, size - at));
      for (let read = 0; read < bytes.length; ) {
        const length = readSync(fd, bytes, read, bytes.length - read, at + read);
        if (length === 0) break;
        read += length;
      }
      alive('the scan');
      const expired = budget.expired();
      if (expired !== '') {
        note(`not scanned from byte ${at} on: ${expired}`);
        break;
      }
      try {
        this.#scanner.setTimeoutMs(Math.max(1, Math.min(PART_MS, Math.floor(budget.leftMs))));
        this.#add(found, this.#scanner.scan(bytes), at);
      } catch (error) {
        note(`the scan of the bytes from ${at} on failed: ${messageOf(error)}`);
      }
      if (at + PART >= size) break;
    }
    return [...found.values()].slice(0, 1000);
  }

  #add(found: Map<string, Found>, { matches }: ScanResult, offset: number): void {
    for (const { identifier, namespace, tags, patterns } of matches) {
      const key = `${namespace}:${identifier}`;
      const known = found.get(key) ?? {
        rule: identifier.slice(0, 256),
        namespace: namespace.slice(0, 256),
        tags: tags.slice(0, 16).map((tag) => tag.slice(0, 128)),
        at: [],
      };
      for (const pattern of patterns)
        for (const match of pattern.matches.slice(0, PATTERN_MATCHES))
          if (known.at.length < 64) known.at.push(`${pattern.identifier.slice(0, 128)}@${offset + match.offset}`);
      found.set(key, known);
    }
  }
}

/** Returns the scan by the rules of a file, or a text that says why there is none. */
export async function openScan(path: string): Promise<Scan | string> {
  let yara: typeof import('@virustotal/yara-x');
  try {
    yara = await import('@virustotal/yara-x');
    const module = fileURLToPath(new URL('./yara_x_js_bg.wasm', import.meta.resolve('@virustotal/yara-x')));
    yara.initSync({ module: readFileSync(module) });
  } catch (error) {
    return `not scanned: the package @virustotal/yara-x can't be loaded (${messageOf(error)})`;
  }
  try {
    const source = readBounded(path, RULES_MAX);
    if (source === null) return `not scanned: ${path} is no file of at most ${RULES_MAX} bytes`;
    const compiler = new yara.Compiler();
    compiler.addSource(source.toString('utf8'));
    const scanner = compiler.build().scanner();
    scanner.setMaxMatchesPerPattern(PATTERN_MATCHES);
    return new Scan(scanner);
  } catch (error) {
    return `not scanned: the rules of ${path} are not valid (${messageOf(error)})`;
  }
}
