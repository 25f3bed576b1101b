import { signBytes, u64FromBigInt, u64ToHex } from '@ringfence/wire';
import type { SyntheticHost } from './host.ts';

export interface LogBatchOptions {
  /** Number of the first line. @default 1 */
  readonly first?: number;
  /** Last number that the host has used. @default that of the last line */
  readonly sequence?: number;
  readonly run?: bigint;
  readonly drops?: Readonly<Record<string, number>>;
  /** @default file */
  readonly origin?: 'file' | 'journald' | 'http';
  /** Process that sent the lines to the journal. */
  readonly pid?: number;
  readonly program?: string;
  /** @default /var/log/auth.log */
  readonly path?: string;
}

/** Returns log lines as the host's collector sends them on logs-raw: signed, one step of the host's clock apart. */
export function logBatch(host: SyntheticHost, lines: readonly string[], options: LogBatchOptions = {}): Buffer {
  const { first = 1, run = 0x1097n, drops = {}, origin = 'file', pid = 0, program = '', path } = options;
  const { sequence = first + lines.length - 1 } = options;
  const documents = lines.map((message, i) => {
    const at = new Date((host.ktime + host.wallOffset) / 1000).toISOString();
    host.ktime += host.step;
    const places = {
      file: { input: 'filestream', log: { file: { path: path ?? '/var/log/auth.log' }, offset: i * 100 } },
      journald: { input: 'journald', log: { syslog: { appname: program } } },
      http: { input: 'http_endpoint', log: {} },
    };
    const place = places[origin];
    return {
      '@timestamp': at,
      message,
      input: { type: place.input },
      log: place.log,
      ...(origin === 'journald' ? { process: { pid }, systemd: { unit: path ?? 'ssh.service' } } : {}),
      ringfence: { sequence: first + i, length: Buffer.byteLength(message) },
    };
  });
  const head = {
    version: 1,
    host_id: host.hostId,
    boot_id: host.bootId,
    run: u64ToHex(u64FromBigInt(run)),
    wall_offset: host.wallOffset,
    sent_at: 0,
    sequence,
    drops,
  };
  const signed = Buffer.from(`${[{ ringfence: head }, ...documents].map((line) => JSON.stringify(line)).join('\n')}\n`);
  const signature = { key_id: host.key.keyId, ed25519: signBytes(host.key, signed).toString('base64') };
  return Buffer.concat([signed, Buffer.from(JSON.stringify({ signature }))]);
}
