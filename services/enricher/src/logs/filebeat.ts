import { hash } from 'node:crypto';
import type { Position, StateChange, StateEntry } from '@ringfence/bus';
import { asBuffer } from '@ringfence/wire';
import { STORE } from '../state/changelog.ts';
import type { LogLine } from './line.ts';
import type { FilebeatLine } from './record.ts';

/** Stands in keys where the boot would. */
export const FILEBEAT = 'filebeat';
const MAX_HOSTS = 1024;
const MAX_FILES = 64;
/** Lines of a file that are known again: more than a Filebeat has on its way. */
const MAX_RECENT = 2048;
const HASH_BYTES = 6;

interface SeenFile {
  highest: number;
  /** of the last lines, the latest last */
  readonly recent: number[];
}

interface FilebeatHost {
  sequence: number;
  /** by hash of its name; the one that grew last is last */
  readonly files: Map<string, SeenFile>;
}

/**
 * What Filebeats have sent, by host. A line at or before the highest offset of its file is one that came again, if it is among the last ones; else the file
 * was emptied and is being written anew. Bounded: the host and the file that have been quiet for longest go.
 */
export class FilebeatHosts {
  /** the one that was heard last is last */
  readonly #hosts = new Map<string, FilebeatHost>();
  readonly #changed = new Set<string>();

  /** The number of a line in the host's run; null: it came before. */
  take(hostId: string, { file, line }: FilebeatLine): number | null {
    const host = this.#host(hostId);
    const name = hash('sha256', file).slice(0, 16);
    const seen = host.files.get(name) ?? { highest: -1, recent: [] };
    const known = printOf(line);
    if (line.offset <= seen.highest && seen.recent.includes(known)) return null;
    seen.highest = line.offset;
    seen.recent.push(known);
    if (seen.recent.length > MAX_RECENT) seen.recent.shift();
    host.files.delete(name);
    host.files.set(name, seen);
    this.#changed.add(`${hostId}/${FILEBEAT}/l/${name}`);
    this.#shrink(host.files, MAX_FILES, (gone) => this.#changed.add(`${hostId}/${FILEBEAT}/l/${gone}`));
    return ++host.sequence;
  }

  #host(hostId: string): FilebeatHost {
    const host = this.#hosts.get(hostId) ?? { sequence: 0, files: new Map<string, SeenFile>() };
    this.#hosts.delete(hostId);
    this.#hosts.set(hostId, host);
    this.#changed.add(`${hostId}/${FILEBEAT}/n`);
    this.#shrink(this.#hosts, MAX_HOSTS, (gone, { files }) => {
      this.#changed.add(`${gone}/${FILEBEAT}/n`);
      for (const name of files.keys()) this.#changed.add(`${gone}/${FILEBEAT}/l/${name}`);
    });
    return host;
  }

  #shrink<V>(map: Map<string, V>, max: number, onGone: (key: string, value: V) => void): void {
    for (const [key, value] of map) {
      if (map.size <= max) return;
      map.delete(key);
      onGone(key, value);
    }
  }

  /** What changed since the last call. */
  drain(partition: number, position: Position): StateChange[] {
    const changes = [...this.#changed].map((key) => ({
      store: STORE,
      partition,
      key,
      value: this.#value(key),
      position,
    }));
    this.#changed.clear();
    return changes;
  }

  #value(key: string): Buffer | null {
    const [hostId = '', , kind, name = ''] = key.split('/');
    const host = this.#hosts.get(hostId);
    if (kind === 'n') return host === undefined ? null : numbers([host.sequence]);
    const seen = host?.files.get(name);
    return seen === undefined ? null : numbers([seen.highest + 1, ...seen.recent]);
  }

  /** false: the entry is none of these. */
  restore({ key, value }: StateEntry): boolean {
    const [hostId = '', boot, kind, name = ''] = key.split('/');
    if (boot !== FILEBEAT) return false;
    const host = this.#hosts.get(hostId) ?? { sequence: 0, files: new Map<string, SeenFile>() };
    this.#hosts.set(hostId, host);
    const [first = 0, ...recent] = read(value);
    if (kind === 'n') host.sequence = first;
    else host.files.set(name, { highest: first - 1, recent });
    return true;
  }
}

/** Of what stays the same when Filebeat reads a line again: the journal's time does, that of a file's line is when it was read. */
function printOf({ offset, at, message }: LogLine): number {
  const place = offset < 0 ? `@${at}` : String(offset);
  return hash('sha256', `${place}\0${message.toString('latin1')}`, 'buffer').readUIntBE(0, HASH_BYTES);
}

/** 8 bytes for the first, 6 for each that follows. */
function numbers([first = 0, ...rest]: readonly number[]): Buffer {
  const bytes = Buffer.alloc(8 + rest.length * HASH_BYTES);
  bytes.writeBigUInt64BE(BigInt(first));
  for (const [i, value] of rest.entries()) bytes.writeUIntBE(value, 8 + i * HASH_BYTES, HASH_BYTES);
  return bytes;
}

function read(value: Uint8Array): number[] {
  const bytes = asBuffer(value);
  const found = [Number(bytes.readBigUInt64BE())];
  for (let at = 8; at + HASH_BYTES <= bytes.length; at += HASH_BYTES) found.push(bytes.readUIntBE(at, HASH_BYTES));
  return found;
}
