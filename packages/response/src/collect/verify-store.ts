import { createHash, type KeyObject } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ifExists } from '@ringfence/host-kit';
import { type ChainHead, ENTRY_MAX, type EvidenceItem, entryName, GENESIS, readEntry, sha256Hex } from './chain.ts';

const CHUNK = 4 << 20;

export interface StoreProblem {
  /** Path within the store */
  readonly place: string;
  readonly problem: string;
}

export interface StoreReport {
  readonly problems: readonly StoreProblem[];
  readonly head: ChainHead;
  readonly collections: number;
  readonly contents: number;
}

/**
 * Checks every entry and every content of a store, and names each place that was changed, removed, added or reordered.
 * Entries that were removed from the end are found by `expected`, the head that an earlier Result or this function has
 * told; without it, only by contents that they leave behind. Reads all bytes; throws the errors of node:fs if the
 * folder can't be read.
 */
export async function verifyStore(directory: string, key: KeyObject, expected?: ChainHead): Promise<StoreReport> {
  const problems: StoreProblem[] = [];
  const add = (place: string, problem: string): void => void problems.push({ place, problem });
  const items = new Map<string, { readonly item: EvidenceItem; readonly place: string }>();
  let head: ChainHead = { sequence: 0, sha256: GENESIS };
  let [collections, foundExpected] = [0, expected === undefined || expected.sequence === 0];
  for (const name of chainNames(directory, add)) {
    const place = `chain/${name}`;
    const bytes = readWhole(join(directory, place));
    for (; entryName(head.sequence + 1) < name; head = { sequence: head.sequence + 1, sha256: '' })
      add(`chain/${entryName(head.sequence + 1)}`, 'is missing');
    // After a missing entry, the next one can only be checked by its own signature.
    const before = head.sha256 === '' ? { ...head, sha256: claimedPrevious(bytes) } : head;
    const entry = bytes === null ? 'cannot be read' : readEntry(bytes, before, key);
    head = { sequence: head.sequence + 1, sha256: bytes === null ? '' : sha256Hex(bytes) };
    if (head.sequence === expected?.sequence) foundExpected = head.sha256 === expected.sha256;
    if (typeof entry === 'string') add(place, entry);
    else if (entry.collection !== undefined) {
      collections++;
      for (const item of entry.collection.items) items.set(item.sha256, { item, place });
    }
    await nextTurn();
  }
  if (!foundExpected) add('chain', `does not hold the entry ${expected?.sequence} that was told before`);
  for (const { item, place } of items.values()) {
    const problem = await checkContent(join(directory, 'content', item.sha256), item);
    if (problem !== null) add(`content/${item.sha256}`, `${problem} (${item.kind} ${item.name} of ${place})`);
  }
  for (const name of readdirSync(join(directory, 'content')))
    if (!items.has(name)) add(`content/${name}`, 'no entry of the chain names it');
  return { problems, head, collections, contents: items.size };
}

function chainNames(directory: string, add: (place: string, problem: string) => void): string[] {
  const names = readdirSync(join(directory, 'chain')).sort();
  return names.filter((name) => {
    const isEntry = /^\d{12}\.json$/.test(name) && name !== entryName(0);
    if (!isEntry) add(`chain/${name}`, 'is no entry of the chain');
    return isEntry;
  });
}

const openFile = (path: string): number | null =>
  ifExists(() => openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK));

/** Returns null for anything but a regular file of at most ENTRY_MAX bytes. */
function readWhole(path: string): Buffer | null {
  const fd = openFile(path);
  if (fd === null) return null;
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile() || stats.size > ENTRY_MAX) return null;
    const bytes = Buffer.alloc(stats.size);
    return readSync(fd, bytes, 0, bytes.length, 0) === bytes.length ? bytes : null;
  } finally {
    closeSync(fd);
  }
}

function claimedPrevious(bytes: Buffer | null): string {
  return /"previous":"([0-9a-f]{64})"/.exec(bytes?.toString('latin1') ?? '')?.[1] ?? '';
}

async function checkContent(path: string, item: EvidenceItem): Promise<string | null> {
  const fd = openFile(path);
  if (fd === null) return 'is missing';
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile()) return 'is no regular file';
    if (stats.size !== item.size) return `has ${stats.size} bytes instead of ${item.size}`;
    const hash = createHash('sha256');
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK, item.size + 1));
    for (let length = readSync(fd, chunk); length > 0; length = readSync(fd, chunk)) {
      hash.update(chunk.subarray(0, length));
      await nextTurn();
    }
    return hash.digest('hex') === item.sha256 ? null : 'its bytes have another SHA-256';
  } finally {
    closeSync(fd);
  }
}
