import { closeSync, fstatSync, openSync, readSync, realpathSync, renameSync, writeFileSync } from 'node:fs';

/** The last three are of names that no file can have: they come from containers' settings, and arguments of programs, too. */
const GONE: readonly (string | undefined)[] = [
  'ENOENT',
  'ENOTDIR',
  'ESRCH',
  'ENODEV',
  'ENAMETOOLONG',
  'ELOOP',
  'ERR_INVALID_ARG_VALUE',
];

/** open(2): a name only, which asks no file system that is remote, opens no device, and waits for nobody to write to a pipe. */
export const O_PATH = 0o10000000;

/** What is read goes through here: a buffer of its own for each read, many a second, would be 64 KiB each until they are collected. */
const CHUNK = Buffer.allocUnsafeSlow(64 * 1024);

/** Whole file, or null when it isn't there, is none, or has more than `maxBytes`. Files of /proc say size 0, so reading goes on until the end. */
export function readBounded(path: string, maxBytes: number): Buffer | null {
  const fd = ifThere(() => openFile(path));
  if (fd === null) return null;
  try {
    const parts: Buffer[] = [];
    let total = 0;
    for (;;) {
      const length = readSync(fd, CHUNK);
      if (length === 0) return Buffer.concat(parts, total);
      total += length;
      if (total > maxBytes) return null;
      parts.push(Buffer.from(CHUNK.subarray(0, length)));
    }
  } finally {
    closeSync(fd);
  }
}

/** Containers choose what stands in many a place that is read: a pipe would hold us for ever, a device may act on being opened. null: it is no file. */
export function openFile(path: string): number | null {
  const named = openSync(path, O_PATH);
  try {
    return fstatSync(named).isFile() ? openSync(`/proc/self/fd/${named}`, 'r') : null;
  } finally {
    closeSync(named);
  }
}

/** Resolves links. Returns null if the path does not exist, can't be read, or leads out of `root`. */
export function realPathWithin(path: string, root: string): string | null {
  const real = ifReadable(() => realpathSync(path));
  return real?.startsWith(root) ? real : null;
}

/** A reader, and a crash, sees the old text or the new one. */
export function writeAtomically(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** What `run` returns, or null when the file it asks for doesn't exist (any more). */
export function ifThere<T>(run: () => T): T | null {
  try {
    return run();
  } catch (error) {
    if (GONE.includes((error as NodeJS.ErrnoException).code)) return null;
    throw error;
  }
}

/** The same, and null too when we may not look: of some processes even root sees little. */
export function ifReadable<T>(run: () => T): T | null {
  try {
    return ifThere(run);
  } catch (error) {
    if (['EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  }
}

/** A device number as stat(2) tells it, as the kernel has it: major << 20 | minor. */
export function kernelDevice(device: bigint): number {
  const major = Number((device >> 8n) & 0xfffn);
  const minor = Number((device & 0xffn) | ((device >> 12n) & 0xfff00n));
  return ((major << 20) | minor) >>> 0;
}

export type Json = Readonly<Record<string, unknown>>;

/** A JSON object, or null: not there, not ours to read, too large, not JSON, not an object. Writers may be at it this very moment. */
export function readJson(path: string, maxBytes: number = 4 << 20): unknown {
  const text = ifReadable(() => readBounded(path, maxBytes));
  return text === null ? null : parseJson(text.toString('utf8'));
}

/** null: it is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

export function asObject(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

/** A string of at most `max` characters; anything else becomes ''. */
export function asText(value: unknown, max = 1024): string {
  return typeof value === 'string' ? value.slice(0, max) : '';
}

const LABELS_MAX = 64;
const LABELS_BYTES = 32 * 1024;

/** At most 64 strings by name, and 32 KiB. */
export function asLabels(value: unknown): Record<string, string> {
  const pairs = Object.entries(asObject(value)).filter(([key, text]) => key !== '' && typeof text === 'string');
  const cut = pairs.slice(0, LABELS_MAX).map(([key, text]): [string, string] => [asText(key, 256), asText(text, 512)]);
  return Object.fromEntries(firstOf(cut, LABELS_BYTES, (pair) => pair));
}

/** The first of them, as long as all their texts have no more than `maxBytes` together. */
export function firstOf<T>(items: readonly T[], maxBytes: number, textsOf: (item: T) => readonly string[]): T[] {
  let bytes = 0;
  const end = items.findIndex((item) => {
    for (const text of textsOf(item)) bytes += Buffer.byteLength(text);
    return bytes > maxBytes;
  });
  return end < 0 ? [...items] : items.slice(0, end);
}
