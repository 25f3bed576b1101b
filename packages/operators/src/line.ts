import { createHash, type KeyObject, verify } from 'node:crypto';
import { keyIdOf, type SigningKey, signBytes } from '@ringfence/wire';
import type { LoggedAction } from './action.ts';

/** Precedes the line in what is signed: no signature of another kind of record is one of a line. */
const CONTEXT = 'ringfence.operator-log\n';
const TAIL = /,"signature":"([0-9a-f]{128})"\}$/;
/** `prev` of the first line */
export const GENESIS: string = '0'.repeat(64);

export interface LogEntry extends LoggedAction {
  /** Number of the line since the log was begun, from 1 */
  readonly seq: number;
  /** SHA-256 of the line before, hex */
  readonly prev: string;
  readonly keyId: string;
}

export const hashOf = (line: string): string => createHash('sha256').update(line).digest('hex');

/** Returns the id of the record of a line. */
export const recordIdOf = (hash: string): string => hash.slice(0, 32);

/** Returns one line of JSON. Its signature is the last member and covers all text before it. */
export function writeLine(action: LoggedAction, seq: number, prev: string, key: SigningKey): string {
  const text = JSON.stringify({ seq, prev, ...action, keyId: key.keyId }).slice(0, -1);
  return `${text},"signature":"${signBytes(key, Buffer.from(CONTEXT + text)).toString('hex')}"}`;
}

/** Parses a line without verifying it; null when it is none. */
export function readLine(line: string): LogEntry | null {
  try {
    const entry = JSON.parse(line) as LogEntry;
    return typeof entry === 'object' && entry !== null && Number.isSafeInteger(entry.seq) ? entry : null;
  } catch {
    return null;
  }
}

export function isSignedBy(key: KeyObject, line: string): boolean {
  const tail = TAIL.exec(line);
  if (tail === null) return false;
  const text = Buffer.from(CONTEXT + line.slice(0, tail.index));
  return verify(null, text, key, Buffer.from(tail[1] ?? '', 'hex'));
}

/** Finds the public key of a line among those that this host trusts. */
export type KeysOfHost = ReadonlyMap<string, KeyObject>;

export interface CheckedLine {
  /** Null unless a key of this host has signed the line */
  readonly entry: LogEntry | null;
  /** Why the line does not continue the log; null: it does */
  readonly problem: string | null;
}

/** Checks a line and whether it follows `last`. A signed line behind a gap is still an action of an operator. */
export function checkLine(
  line: string,
  last: { readonly seq: number; readonly hash: string },
  keys: KeysOfHost,
): CheckedLine {
  const entry = readLine(line);
  const key = keys.get(entry?.keyId ?? '');
  if (entry === null || key === undefined || keyIdOf(key) !== entry.keyId || !isSignedBy(key, line))
    return { entry: null, problem: 'the line is not signed by this host' };
  if (entry.seq === last.seq + 1 && entry.prev === last.hash) return { entry, problem: null };
  return { entry, problem: `line ${entry.seq} does not follow line ${last.seq}: lines were changed or removed` };
}
