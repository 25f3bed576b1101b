import { join } from 'node:path';
import { isoTime } from '@ringfence/fields';
import { decodeText, type SigningKey, signBytes } from '@ringfence/wire';
import type { LogLine } from './line.ts';

export interface LogOrigin {
  readonly hostId: string;
  readonly bootId: string;
  /** hex */
  readonly run: string;
  readonly agentVersion: string;
  readonly hostname: string;
  /** of a file, without where the host's file system is */
  readonly pathOnHost: (path: string) => string;
}

/** Of paths below `root`, made by join. */
export function pathsOnHost(root: string): LogOrigin['pathOnHost'] {
  const prefix = join(root, '/');
  return (path) => (path.startsWith(prefix) ? path.slice(prefix.length - 1) : path);
}

/** What the head of a record says besides its origin. */
export interface LogFacts {
  /** µs */
  readonly wallOffset: number;
  /** µs since the epoch */
  readonly sentAt: number;
  /** last number taken */
  readonly sequence: number;
  /** lines dropped, by cause, ever in this run */
  readonly drops: Readonly<Record<string, number>>;
}

/** A line in the shape in which Filebeat writes it, without its line break. */
export function documentOf(line: LogLine, sequence: number, origin: LogOrigin, now: number): string {
  const { bytes, length, path, offset, file, sender } = line;
  const place =
    line.origin === 'file'
      ? {
          file: { path: origin.pathOnHost(path), inode: file?.inode ?? '', device_id: file?.device ?? '' },
          offset,
        }
      : { syslog: { appname: sender?.program ?? '' } };
  return JSON.stringify({
    '@timestamp': isoTime(line.writtenAt ?? now),
    message: decodeText(bytes),
    input: { type: line.origin === 'file' ? 'filestream' : 'journald' },
    log: { ...place, ...(length > bytes.length ? { flags: ['truncated'] } : {}) },
    ...(sender === undefined ? {} : { process: { pid: sender.pid }, systemd: { unit: path } }),
    event: { created: isoTime(now) },
    agent: { type: 'ringfence', id: origin.hostId, version: origin.agentVersion },
    host: { id: origin.hostId, name: origin.hostname },
    ringfence: { sequence, length },
  });
}

/**
 * A record of logs-raw: lines of JSON. The first says whose lines they are, then each line of a log is a document, and the last is the signature of
 * every byte before it. A reader that knows nothing of us reads the documents between.
 */
export function recordOf(documents: readonly string[], origin: LogOrigin, facts: LogFacts, key: SigningKey): Buffer {
  const { hostId, bootId, run } = origin;
  const { wallOffset, sentAt, sequence, drops } = facts;
  const head = {
    ringfence: {
      version: 1,
      host_id: hostId,
      boot_id: bootId,
      run,
      wall_offset: wallOffset,
      sent_at: sentAt,
      sequence,
      drops,
    },
  };
  const signed = Buffer.from(`${[JSON.stringify(head), ...documents].join('\n')}\n`);
  const signature = { key_id: key.keyId, ed25519: signBytes(key, signed).toString('base64') };
  return Buffer.concat([signed, Buffer.from(JSON.stringify({ signature }))]);
}
