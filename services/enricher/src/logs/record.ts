import { type KeyObject, verify } from 'node:crypto';
import type { InRecord } from '@ringfence/bus';
import { isSignedLines, MAX_LONG } from '@ringfence/wire';
import { EnricherError } from '../errors.ts';
import { asCount, asObject, asText, type Json, type LogLine, toLogLine } from './line.ts';

const LINE_BREAK = 10;
const MAX_LINES = 8192;
const MAX_FILE_ID = 512;
const ID = /^[\w.-]{1,64}$/;
const RUN = /^[0-9a-f]{16}$/;
const SIGNATURE_BYTES = 64;

/** Lines that an agent has read and signed. */
export interface SignedLines {
  readonly bootId: string;
  /** 8 bytes, little-endian */
  readonly run: Buffer;
  readonly wallOffset: number;
  readonly sentAt: number;
  /** last used sequence number */
  readonly sequence: number;
  /** dropped lines of this run, by cause */
  readonly drops: Readonly<Record<string, number>>;
  readonly lines: readonly { readonly sequence: number; readonly line: LogLine }[];
}

/** A line of Filebeat. Only its key names the host, and every program with access to the topic can choose that. */
export interface FilebeatLine {
  /** id of the agent and the file */
  readonly file: string;
  readonly line: LogLine;
}

export type LogRecord = { readonly signed: SignedLines } | { readonly filebeat: FilebeatLine };

/** Returns a key of the record's host. Throws EnricherError if there is none. */
export type KeyOf = (record: InRecord, keyId: string) => KeyObject;

/** Reads a whole record of logs-raw, so that an invalid one leaves no trace in the state. Throws EnricherError. */
export function readLogRecord(record: InRecord, keyOf: KeyOf): LogRecord {
  const { key: hostId, value } = record;
  const reject = (message: string): never => {
    throw new EnricherError('ERR_ENRICHER_BOUNDS', hostId, message);
  };
  if (!ID.test(hostId)) reject('its key must be a host id: 1 to 64 letters, digits, dots and dashes');
  if (value === null) return reject('the record is a tombstone, which logs-raw must not have');
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (isSignedLines(bytes)) return { signed: readSigned(record, bytes, keyOf, reject) };
  const document = parse(bytes, reject);
  const line = toLogLine(document) ?? reject('its document has no @timestamp or message');
  return { filebeat: { file: fileOf(document, line), line } };
}

type Reject = (message: string) => never;

function readSigned(record: InRecord, bytes: Buffer, keyOf: KeyOf, reject: Reject): SignedLines {
  const end = bytes.lastIndexOf(LINE_BREAK) + 1;
  const signature = asObject(parse(bytes.subarray(end), reject)['signature']);
  const key = keyOf(record, asText(signature['key_id'], 64));
  const proof = Buffer.from(asText(signature['ed25519'], 128), 'base64');
  if (proof.length !== SIGNATURE_BYTES || !verify(null, bytes.subarray(0, end), key, proof))
    throw new EnricherError(
      'ERR_ENRICHER_SIGNATURE',
      record.key,
      'the signature of its log lines does not match its enrolled key',
    );
  const [head = '', ...documents] = bytes.toString('utf8', 0, Math.max(0, end - 1)).split('\n', MAX_LINES + 2);
  if (documents.length > MAX_LINES) reject(`the record has more than ${MAX_LINES} log lines`);
  const facts = asObject(parse(head, reject)['ringfence']);
  if (facts['host_id'] !== record.key)
    throw new EnricherError(
      'ERR_ENRICHER_KEY',
      record.key,
      `the log lines name another host: ${JSON.stringify(asText(facts['host_id'], 64))}`,
    );
  const bootId = asText(facts['boot_id'], 65);
  const run = asText(facts['run'], 17);
  if (!ID.test(bootId) || !RUN.test(run)) reject('its log lines have no valid boot id or run');
  return {
    bootId,
    run: Buffer.from(run, 'hex').reverse(),
    wallOffset: asCount(facts['wall_offset'], MAX_LONG),
    sentAt: asCount(facts['sent_at']),
    sequence: asCount(facts['sequence'], MAX_LONG),
    drops: Object.fromEntries(
      Object.entries(asObject(facts['drops']))
        .slice(0, 16)
        .map(([cause, count]) => [cause.slice(0, 64), asCount(count)]),
    ),
    lines: documents.map((text) => numberedLine(parse(text, reject), reject)),
  };
}

function numberedLine(document: Json, reject: Reject): { readonly sequence: number; readonly line: LogLine } {
  const sequence = asCount(asObject(document['ringfence'])['sequence'], MAX_LONG);
  const line = toLogLine(document);
  return line === null || sequence < 1
    ? reject('a log line has no @timestamp, message or sequence number')
    : { sequence, line };
}

function parse(text: Buffer | string, reject: Reject): Json {
  try {
    const value: unknown = JSON.parse(text.toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Json)
      : reject('its JSON is not an object');
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return reject(`it is not JSON: ${error.message.slice(0, 200)}`);
  }
}

/** Returns the id of the agent, and device with inode if the document has them, else the path. */
function fileOf(document: Json, { path }: LogLine): string {
  const file = asObject(asObject(document['log'])['file']);
  const inode = asText(file['inode'], 32);
  const agent = asText(asObject(document['agent'])['id'], 128);
  return `${agent}\0${inode === '' ? path : `${asText(file['device_id'], 32)}:${inode}`}`.slice(0, MAX_FILE_ID);
}
