import { join } from 'node:path';
import { isoTime } from '@ringfence/fields';
import { decodeText, type SigningKey, signBytes } from '@ringfence/wire';
import type { LogLine } from './log-source.ts';

export interface LogOrigin {
  readonly hostId: string;
  readonly bootId: string;
  /** hex */
  readonly run: string;
  readonly agentVersion: string;
  readonly hostname: string;
  /** returns a file's path without the root of the host's file system */
  readonly pathOnHost: (path: string) => string;
}

/** Makes a function that removes `root` from the paths below it. */
export function pathsOnHost(root: string): LogOrigin['pathOnHost'] {
  const prefix = join(root, '/');
  return (path) => (path.startsWith(prefix) ? path.slice(prefix.length - 1) : path);
}

/** Facts in the head of a record, in addition to its origin. */
export interface LogFacts {
  /** µs */
  readonly wallOffset: number;
  /** µs since the epoch */
  readonly sentAt: number;
  /** last sequence number taken */
  readonly sequence: number;
  /** lines dropped in this run, by cause */
  readonly drops: Readonly<Record<string, number>>;
}

/** Filebeat's names of the inputs. */
const INPUT_TYPES = { file: 'filestream', journald: 'journald', http: 'http_endpoint' } as const;

/** Returns the JSON document of a line, without line break, in the format of Filebeat. */
export function documentOf(line: LogLine, sequence: number, origin: LogOrigin, now: number): string {
  const { bytes, length, path, offset, file, sender } = line;
  const locations = {
    file: () => ({
      file: { path: origin.pathOnHost(path), inode: file?.inode ?? '', device_id: file?.device ?? '' },
      offset,
    }),
    journald: () => ({ syslog: { appname: sender?.program ?? '' } }),
    http: () => ({}),
  };
  return JSON.stringify({
    '@timestamp': isoTime(line.writtenAt ?? now),
    message: decodeText(bytes),
    input: { type: INPUT_TYPES[line.origin] },
    log: { ...locations[line.origin](), ...(length > bytes.length ? { flags: ['truncated'] } : {}) },
    ...(sender === undefined ? {} : { process: { pid: sender.pid }, systemd: { unit: path } }),
    event: { created: isoTime(now) },
    agent: { type: 'ringfence', id: origin.hostId, version: origin.agentVersion },
    host: { id: origin.hostId, name: origin.hostname },
    ringfence: { sequence, length },
  });
}

/**
 * Makes a record of logs-raw: lines of JSON. The first has the origin, then each line of a log is a document, and the
 * last one is the signature of every byte before it. Readers that know only Filebeat's format can read the documents.
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
