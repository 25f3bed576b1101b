import type { BpfMap, BpfProgram } from '@ringfence/libbpf-ts';
import { records } from '@ringfence/wire';
import { SharedBytes } from './shared-bytes.ts';
import { fileHashesOf } from './watched-hashes.ts';

type KeyMap = Pick<BpfMap<Uint8Array, Uint8Array>, 'update' | 'remove' | 'batches' | 'sizes'>;
type ArrayMap = Pick<BpfMap<Uint8Array, Uint8Array>, 'update' | 'batches' | 'sizes'>;

/** struct rf_file_key, 16 bytes: inode, device, generation */
export type FileKey = Uint8Array;

/** A file that the sensor recognizes by its identity. */
export interface WatchedFile {
  /** whether opens that only read are wanted; opens that write always are */
  readonly reads: boolean;
  /** the present identity first, unless the file is gone, then earlier ones */
  readonly keys: readonly FileKey[];
}

interface Entry {
  readonly key: FileKey;
  /** enum rf_file_entry */
  readonly entry: number;
}

export interface FileMaps {
  readonly files: KeyMap;
  readonly paths: ArrayMap;
  /** rf_file_hashes */
  readonly hashes: Uint8Array;
}

const { FILES_MAX, WATCHED_MAX } = records.Limit;
const { FILE_READS } = records.FileEntry;
const KEYS_MAX = 4 * FILES_MAX;
const GENERATION_AT = records.FILE_KEY_GENERATION;

const textOf = (key: FileKey): string => Buffer.from(key).toString('latin1');

/** Whether the file system gives the inode's number to another file only with another generation. */
export const hasGeneration = (key: FileKey): boolean =>
  new DataView(key.buffer, key.byteOffset).getUint32(GENERATION_AT, true) !== 0;

/** The owner of a file can change its generation, so its present identity has a key for any. */
function withoutGeneration(key: FileKey): FileKey[] {
  const any = key.slice();
  any.fill(0, GENERATION_AT);
  return [key, any];
}

/** The files that the sensor recognizes by identity, whatever path leads to them (rf_files and rf_file_paths). */
export class FileTable {
  readonly #maps: FileMaps;
  readonly #hashes: SharedBytes;
  readonly #slots = new Map<string, number>();
  readonly #free: number[] = Array.from({ length: FILES_MAX }, (_, slot) => FILES_MAX - slot);
  /** Entries of rf_files by key */
  #present: ReadonlyMap<string, Entry> = new Map();

  /** @param maps may be pinned maps with entries of an earlier agent, which are removed */
  constructor(maps: FileMaps) {
    this.#maps = maps;
    for (const { key } of entriesOf(maps.files).values()) maps.files.remove(key);
    maps.hashes.fill(0);
    this.#hashes = new SharedBytes(maps.hashes);
  }

  /** Replaces the files, by the path that rules name. Returns false if there was no room for all. */
  set(files: ReadonlyMap<string, WatchedFile>): boolean {
    const freed = [...this.#slots].filter(([path]) => !files.has(path));
    const wanted = new Map<string, Entry>();
    let fits = true;
    const add = (path: string, { reads }: WatchedFile, keys: readonly FileKey[]): void => {
      const slot = this.#slotOf(path);
      if (slot === undefined || wanted.size + keys.length > KEYS_MAX) fits = false;
      else for (const key of keys) wanted.set(textOf(key), { key, entry: slot | (reads ? FILE_READS : 0) });
    };
    // A file that was renamed to another of the paths belongs to the path that it has now.
    for (const [path, file] of files) add(path, file, file.keys.slice(1));
    for (const [path, file] of files) add(path, file, file.keys.slice(0, 1).flatMap(withoutGeneration));
    this.#apply(wanted);
    // The entries of these slots are gone, so that no file can appear under the path of the next user of a slot.
    for (const [path, slot] of freed) {
      this.#slots.delete(path);
      this.#free.push(slot);
    }
    return fits;
  }

  /** Writes again what another process has changed. Returns the number of entries, paths and tables that differed. */
  restore(): number {
    const { files } = this.#maps;
    let changed = this.#hashes.restore() + this.#restorePaths();
    const found = entriesOf(files);
    for (const [text, { key, entry }] of this.#present) {
      if (found.get(text)?.entry !== entry) {
        files.update(key, bytesOf(entry));
        changed++;
      }
      found.delete(text);
    }
    for (const { key } of found.values()) files.remove(key);
    return changed + found.size;
  }

  #restorePaths(): number {
    const { paths } = this.#maps;
    const wanted = new Map(Array.from(this.#slots, ([path, slot]) => [slot - 1, pathValue(Buffer.from(path))]));
    const { value: size } = paths.sizes;
    for (const { keys, values, count } of paths.batches()) {
      const view = new DataView(keys.buffer, keys.byteOffset);
      for (let index = 0; index < count; index++) {
        const key = view.getUint32(index * 4, true);
        const value = values.subarray(index * size, (index + 1) * size);
        const expected = wanted.get(key);
        if (expected !== undefined && Buffer.compare(value, expected) === 0) wanted.delete(key);
      }
    }
    for (const [key, value] of wanted) paths.update(bytesOf(key), value);
    return wanted.size;
  }

  /** Returns the slot of a path, from 1, or undefined if there is none left or the path is too long. */
  #slotOf(path: string): number | undefined {
    const known = this.#slots.get(path);
    if (known !== undefined) return known;
    const bytes = Buffer.from(path);
    const slot = bytes.length < WATCHED_MAX ? this.#free.pop() : undefined;
    if (slot === undefined) return undefined;
    this.#maps.paths.update(bytesOf(slot - 1), pathValue(bytes));
    this.#slots.set(path, slot);
    return slot;
  }

  /** Adds before it removes, so that no file is missed in between. */
  #apply(wanted: ReadonlyMap<string, Entry>): void {
    const { files } = this.#maps;
    const exact = fileHashesOf(Array.from(wanted.values(), ({ key }) => key));
    const { written } = this.#hashes;
    this.#hashes.set(exact.map((bits, at) => bits | written[at]!));
    for (const [text, { key, entry }] of wanted)
      if (this.#present.get(text)?.entry !== entry) files.update(key, bytesOf(entry));
    for (const [text, { key }] of this.#present) if (!wanted.has(text)) files.remove(key);
    this.#hashes.set(exact);
    this.#present = wanted;
  }
}

/**
 * Returns the identities of the files that this process has open with O_PATH, by descriptor: the file's own and, on an
 * overlay, that of the file beneath.
 */
export function identifyFiles(program: BpfProgram): Map<number, FileKey[]> {
  using link = program.attachIterator({ tgid: process.pid });
  using iterator = link.iterate();
  return parseIdentities(iterator.readAll());
}

export function parseIdentities(bytes: Uint8Array): Map<number, FileKey[]> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const identities = new Map<number, FileKey[]>();
  const size = records.SIZEOF_FILE_IDENTITY;
  for (let at = 0; at + size <= bytes.length; at += size) {
    const keyAt = (offset: number): FileKey => bytes.slice(at + offset, at + offset + records.SIZEOF_FILE_KEY);
    const keys = [records.FILE_IDENTITY_KEY, records.FILE_IDENTITY_BENEATH].map(keyAt);
    identities.set(
      records.fileIdentityDescriptor(view, at),
      keys.filter((key) => key.some((byte) => byte !== 0)),
    );
  }
  return identities;
}

const bytesOf = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer);

/** Encodes struct rf_file_path. */
function pathValue(path: Uint8Array): Uint8Array {
  const value = new Uint8Array(records.SIZEOF_FILE_PATH);
  const view = new DataView(value.buffer);
  view.setUint32(records.FILE_PATH_LENGTH, path.length, true);
  view.setUint32(records.FILE_PATH_NAME, path.lastIndexOf(47) + 1, true);
  value.set(path, records.FILE_PATH_PATH);
  return value;
}

/** Reads the entries of rf_files, by key. */
function entriesOf(map: KeyMap): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  const { key: size } = map.sizes;
  for (const { keys, values, count } of map.batches()) {
    const view = new DataView(values.buffer, values.byteOffset);
    for (let index = 0; index < count; index++) {
      const key = keys.slice(index * size, (index + 1) * size);
      entries.set(textOf(key), { key, entry: view.getUint32(index * 4, true) });
    }
  }
  return entries;
}
