import { hash } from 'node:crypto';
import type { Position, StateChange, StateEntry } from '@ringfence/bus';
import { asBuffer } from '@ringfence/wire';
import { EnricherStateError } from '../errors.ts';
import { STORE } from '../state/changelog.ts';
import { decodeState, encodeState } from '../state/codec.ts';
import type { LogLine } from './line.ts';
import type { FilebeatLine } from './record.ts';

/** Takes the place of the boot id in keys of state entries. */
export const FILEBEAT = 'filebeat';
const MAX_HOSTS = 1024;
const MAX_FILES = 64;
/** Lines per file that are recognized as duplicates: more than Filebeat sends before an acknowledgement. */
const MAX_RECENT = 2048;
const HASH_BYTES = 6;

interface SeenFile {
  highest: number;
  /** fingerprints of the last lines, the latest last */
  readonly recent: number[];
}

interface FilebeatHost {
  sequence: number;
  /** by hash of the file's name, the most recently written last */
  readonly files: Map<string, SeenFile>;
}

/**
 * Numbers the lines of Filebeat, by host. A line at or before the highest offset of its file is a duplicate if it is
 * among the last lines; otherwise the file was truncated. Bounded: the least recently used host or file is evicted.
 */
export class FilebeatHosts {
  /** the most recently used last */
  readonly #hosts = new Map<string, FilebeatHost>();
  readonly #changed = new Set<string>();

  /** Returns the sequence number of a line in the host's run; null: it is a duplicate. */
  take(hostId: string, { file, line }: FilebeatLine): number | null {
    const host = this.#host(hostId);
    const name = hash('sha256', file).slice(0, 16);
    const seen = host.files.get(name) ?? { highest: -1, recent: [] };
    const fingerprint = fingerprintOf(line);
    if (line.offset <= seen.highest && seen.recent.includes(fingerprint)) return null;
    seen.highest = line.offset;
    seen.recent.push(fingerprint);
    if (seen.recent.length > MAX_RECENT) seen.recent.shift();
    host.files.delete(name);
    host.files.set(name, seen);
    this.#changed.add(`${hostId}/${FILEBEAT}/l/${name}`);
    this.#shrink(host.files, MAX_FILES, (evicted) => this.#changed.add(`${hostId}/${FILEBEAT}/l/${evicted}`));
    return ++host.sequence;
  }

  #host(hostId: string): FilebeatHost {
    const host = this.#hosts.get(hostId) ?? { sequence: 0, files: new Map<string, SeenFile>() };
    this.#hosts.delete(hostId);
    this.#hosts.set(hostId, host);
    this.#changed.add(`${hostId}/${FILEBEAT}/n`);
    this.#shrink(this.#hosts, MAX_HOSTS, (evicted, { files }) => {
      this.#changed.add(`${evicted}/${FILEBEAT}/n`);
      for (const name of files.keys()) this.#changed.add(`${evicted}/${FILEBEAT}/l/${name}`);
    });
    return host;
  }

  #shrink<V>(map: Map<string, V>, max: number, onEvicted: (key: string, value: V) => void): void {
    for (const [key, value] of map) {
      if (map.size <= max) return;
      map.delete(key);
      onEvicted(key, value);
    }
  }

  /** Returns the changes of state since the last call. */
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
    if (kind === 'n') return host === undefined ? null : encodeState('StateFilebeatHost', { sequence: host.sequence });
    const seen = host?.files.get(name);
    if (seen === undefined) return null;
    return encodeState('StateFilebeatFile', { highest: seen.highest, recent: packed(seen.recent) });
  }

  /** Returns false if the entry is not of Filebeat. Throws EnricherStateError. */
  restore({ key, value }: StateEntry): boolean {
    const [hostId = '', boot, kind, name = ''] = key.split('/');
    if (boot !== FILEBEAT) return false;
    try {
      this.#readEntry(hostId, kind, name, value);
    } catch (cause) {
      throw new EnricherStateError(key, cause);
    }
    return true;
  }

  #readEntry(hostId: string, kind: string | undefined, name: string, value: Uint8Array): void {
    const host = this.#hosts.get(hostId) ?? { sequence: 0, files: new Map<string, SeenFile>() };
    this.#hosts.set(hostId, host);
    if (kind === 'n') host.sequence = decodeState('StateFilebeatHost', value).sequence;
    else {
      const { highest, recent } = decodeState('StateFilebeatFile', value);
      host.files.set(name, { highest, recent: unpacked(recent) });
    }
  }
}

/**
 * Returns a hash of what stays the same when Filebeat reads a line again. The time of a journal entry does; the time of
 * a file's line is that of reading.
 */
function fingerprintOf({ offset, at, message }: LogLine): number {
  const position = offset < 0 ? `@${at}` : String(offset);
  return hash('sha256', `${position}\0${message.toString('latin1')}`, 'buffer').readUIntBE(0, HASH_BYTES);
}

function packed(fingerprints: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(fingerprints.length * HASH_BYTES);
  for (const [i, fingerprint] of fingerprints.entries()) bytes.writeUIntBE(fingerprint, i * HASH_BYTES, HASH_BYTES);
  return bytes;
}

function unpacked(value: Uint8Array): number[] {
  const bytes = asBuffer(value);
  const fingerprints: number[] = [];
  for (let at = 0; at + HASH_BYTES <= bytes.length; at += HASH_BYTES)
    fingerprints.push(bytes.readUIntBE(at, HASH_BYTES));
  return fingerprints;
}
