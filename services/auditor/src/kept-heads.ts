import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { SyslogKind, SyslogSender } from '@ringfence/syslog';
import { type AuditHead, decode } from '@ringfence/wire';

/** The messages of `auditor.headSyslog`. A publication has a head of each chain that has grown. */
export const AUDIT_HEADS: SyslogKind = {
  id: 'audit-head',
  severity: 5,
  text: 'head of an audit chain',
  waitingMax: 4096,
};

/** In the text, because many servers write nothing else into their files. Long base64 has no other meaning there. */
const MARK = /\baudit-head=([A-Za-z0-9+/]{40,4000}={0,2})/;
const LINE_MAX = 64 * 1024;

/** Sends a published head to a second place, as it is on the bus: with its signature. */
export function sendHead(sender: SyslogSender, value: Uint8Array): void {
  const { topic, partition, kind, count, at }: AuditHead = decode('AuditHead', value);
  const details = { topic, partition, kind, count };
  sender.send({ at: at / 1000, details, text: `audit-head=${Buffer.from(value).toString('base64')}` });
}

/** A head as `readHeads` takes it from the bus. */
export interface KeptHead {
  readonly value: Uint8Array;
  /** Number of its line */
  readonly offset: number;
  /** µs since the epoch, as the head says */
  readonly timestamp: number;
}

/**
 * Yields the heads in a file of a syslog server, whatever else stands in its lines. Only a signature proves that an
 * auditor wrote one. Rejects with the error of the file system.
 */
export async function* headsInFile(path: string): AsyncGenerator<KeptHead> {
  let offset = 0;
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
    offset++;
    const [, text] = line.length > LINE_MAX ? [] : (MARK.exec(line) ?? []);
    if (text === undefined) continue;
    const value = Buffer.from(text, 'base64');
    yield { value, offset, timestamp: timeOf(value) };
  }
}

function timeOf(value: Uint8Array): number {
  try {
    return decode('AuditHead', value).at;
  } catch {
    return 0;
  }
}
