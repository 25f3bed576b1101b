import { type ElfFile, textAt } from './elf-file.ts';
import { REGISTERS } from './registers.ts';
import { ProbeProblem, type UsdtTarget } from './types.ts';

/** A place into which a USDT probe was compiled. */
export interface UsdtSite {
  /** bytes from the start of the file */
  readonly offset: number;
  /**
   * file offset of the semaphore, a counter that must be positive for the program to reach the probe; 0 if it has none
   */
  readonly semaphore: number;
  /** arguments as the note describes them: `-4@%edi 8@-16(%rbp)` */
  readonly arguments: readonly string[];
}

/** Where an argument of a USDT probe is stored. Sizes are in bytes, and negative for signed numbers. */
export type UsdtArgument =
  | { readonly kind: 'constant'; readonly value: bigint; readonly size: number }
  | { readonly kind: 'register'; readonly at: number; readonly size: number }
  | { readonly kind: 'memory'; readonly at: number; readonly offset: number; readonly size: number };

const SITES_MAX = 64;
const NOTE_HEADER = 12;
const ADDRESSES = 24;
const STAPSDT = 3;
const NAMES_MAX = 5;

/** @throws ProbeProblem that lists the probes in the file */
export function usdtSites(elf: ElfFile, { path, provider, name }: UsdtTarget): UsdtSite[] {
  const base = elf.section('.stapsdt.base')?.address;
  const otherNames = new Set<string>();
  const found: UsdtSite[] = [];
  for (const note of notesOf(elf.section('.note.stapsdt')?.bytes ?? Buffer.alloc(0))) {
    if (note.provider !== provider || note.name !== name) {
      if (otherNames.size < NAMES_MAX) otherNames.add(`${note.provider}:${note.name}`);
      continue;
    }
    // If the layout of the file was changed after it was linked (prelink), the notes still contain the old addresses.
    const moved = base === undefined ? 0 : base - note.base;
    const semaphore = note.semaphore === 0 ? 0 : elf.offsetOf(note.semaphore + moved);
    found.push({ offset: elf.offsetOf(note.location + moved), semaphore, arguments: note.arguments });
  }
  if (found.length === 0)
    throw new ProbeProblem(
      `${path} has no probe ${provider}:${name}${otherNames.size === 0 ? ', and no other' : `; it has ${[...otherNames].join(', ')}`}`,
    );
  if (found.length > SITES_MAX)
    throw new ProbeProblem(
      `${path} has ${provider}:${name} in ${found.length} places; at most ${SITES_MAX} can be probed`,
    );
  return found;
}

interface Note {
  readonly location: number;
  readonly base: number;
  readonly semaphore: number;
  readonly provider: string;
  readonly name: string;
  readonly arguments: readonly string[];
}

const aligned = (size: number): number => Math.ceil(size / 4) * 4;

/** Stops at a damaged note. */
function* notesOf(bytes: Buffer): Generator<Note> {
  for (let at = 0; at + NOTE_HEADER <= bytes.length; ) {
    const nameBytes = bytes.readUInt32LE(at);
    const size = bytes.readUInt32LE(at + 4);
    const description = at + NOTE_HEADER + aligned(nameBytes);
    if (description + size > bytes.length) return;
    if (bytes.readUInt32LE(at + 8) === STAPSDT && textAt(bytes, at + NOTE_HEADER) === 'stapsdt' && size > ADDRESSES)
      yield noteOf(bytes.subarray(description, description + size));
    at = description + aligned(size);
  }
}

function noteOf(bytes: Buffer): Note {
  const address = (at: number): number => Number(bytes.readBigUInt64LE(at));
  const [provider = '', name = '', args = ''] = bytes.toString('utf8', ADDRESSES).split('\0');
  const words = args.replaceAll(/\[[^\]]*\]/g, (memory) => memory.replaceAll(' ', ''));
  return {
    location: address(0),
    base: address(8),
    semaphore: address(16),
    provider,
    name,
    arguments: words === '' ? [] : words.split(' '),
  };
}

const NUMBER = String.raw`-?(?:0x[0-9a-f]{1,16}|\d{1,20})`;
const FORMS: Readonly<Record<string, { readonly [kind in UsdtArgument['kind']]: RegExp }>> = {
  x64: {
    constant: new RegExp(`^\\$(?<number>${NUMBER})$`, 'i'),
    register: /^%(?<register>\w{2,4})$/,
    memory: new RegExp(`^(?<number>${NUMBER})?\\(%(?<register>\\w{2,4})\\)$`, 'i'),
  },
  arm64: {
    constant: new RegExp(`^(?<number>${NUMBER})$`, 'i'),
    register: /^(?<register>\w{2,3})$/,
    memory: new RegExp(`^\\[(?<register>\\w{2,3})(?:,(?<number>${NUMBER}))?\\]$`, 'i'),
  },
};

/** @param written `-4@-20(%rbp)`; on arm64 `8@[sp,16]`. @throws ProbeProblem for an operand that can't be followed */
export function parseUsdtArgument(written: string, architecture: string = process.arch): UsdtArgument {
  const [, bytes = '', place = ''] = /^(-?[1248])(?:f)?@(.+)$/.exec(written) ?? [];
  const forms = FORMS[architecture];
  const size = Number(bytes);
  for (const kind of ['constant', 'register', 'memory'] as const) {
    const groups = forms?.[kind].exec(place)?.groups;
    if (groups === undefined || size === 0) continue;
    const value = bigint(groups['number'] ?? '0');
    if (kind === 'constant') return { kind, value, size };
    const at = REGISTERS[architecture]?.byName.get(groups['register'] ?? '');
    if (at === undefined) continue;
    return kind === 'register' ? { kind, at, size } : { kind, at, size, offset: Number(value) };
  }
  throw new ProbeProblem(`is compiled to ${written}, which is not supported`);
}

const bigint = (text: string): bigint => (text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text));
