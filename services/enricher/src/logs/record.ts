import { type KeyObject, verify } from 'node:crypto';
import type { InRecord } from '@ringfence/bus';
import { isSignedLines } from '@ringfence/wire';
import { EnricherError } from '../errors.ts';
import { MAX_LONG } from '../steps/check.ts';
import { asCount, asObject, asText, type Json, type LogLine, lineOf } from './line.ts';

const LINE_BREAK = 10;
const MAX_LINES = 8192;
const MAX_FILE_ID = 512;
const ID = /^[\w.-]{1,64}$/;
const RUN = /^[0-9a-f]{16}$/;
const SIGNATURE_BYTES = 64;

/** Lines that an agent of ours has read and signed. */
export interface SignedLines {
  readonly bootId: string;
  /** 8 bytes, little-endian */
  readonly run: Buffer;
  readonly wallOffset: number;
  readonly sentAt: number;
  /** last number taken */
  readonly sequence: number;
  /** lines dropped, by cause, ever in this run */
  readonly drops: Readonly<Record<string, number>>;
  readonly lines: readonly { readonly sequence: number; readonly line: LogLine }[];
}

/** One line of a Filebeat: whose it is only its key says, and anyone who may write to the topic. */
export interface FilebeatLine {
  /** agent and file */
  readonly file: string;
  readonly line: LogLine;
}

export type LogRecord = { readonly signed: SignedLines } | { readonly filebeat: FilebeatLine };

/** The key of a host by id; throws EnricherError when there is none. */
export type KeyOf = (record: InRecord, keyId: string) => KeyObject;

/** Reads a record of logs-raw whole, so that a bad one leaves no trace. Throws EnricherError. */
export function readLogRecord(record: InRecord, keyOf: KeyOf): LogRecord {
  const { key: hostId, value } = record;
  const reject = (message: string): never => {
    throw new EnricherError('ERR_ENRICHER_BOUNDS', hostId, message);
  };
  if (!ID.test(hostId)) reject('the key must be a host id: 1 to 64 letters, digits, dots and dashes');
  if (value === null) return reject('a tombstone, which logs-raw has none of');
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (isSignedLines(bytes)) return { signed: readSigned(record, bytes, keyOf, reject) };
  const document = parse(bytes, reject);
  const line = lineOf(document) ?? reject('a document without @timestamp or message');
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
      'the signature of its log lines is not that of its key',
    );
  const [head = '', ...documents] = bytes.toString('utf8', 0, Math.max(0, end - 1)).split('\n', MAX_LINES + 2);
  if (documents.length > MAX_LINES) reject(`more than ${MAX_LINES} log lines in one record`);
  const facts = asObject(parse(head, reject)['ringfence']);
  if (facts['host_id'] !== record.key)
    throw new EnricherError(
      'ERR_ENRICHER_KEY',
      record.key,
      `says it is of host ${JSON.stringify(asText(facts['host_id'], 64))}`,
    );
  const bootId = asText(facts['boot_id'], 65);
  const run = asText(facts['run'], 17);
  if (!ID.test(bootId) || !RUN.test(run)) reject('log lines without a boot id or a run');
  return {
    bootId,
    run: Buffer.from(run, 'hex').reverse(),
    wallOffset: asCount(facts['wall_offset'], MAX_LONG),
    sentAt: asCount(facts['sent_at']),
    sequence: asCount(facts['sequence'], MAX_LONG),
    drops: Object.fromEntries(
      Object.entries(asObject(facts['drops']))
        .slice(0, 16)
        .map(([cause, n]) => [cause.slice(0, 64), asCount(n)]),
    ),
    lines: documents.map((text) => numbered(parse(text, reject), reject)),
  };
}

function numbered(document: Json, reject: Reject): { readonly sequence: number; readonly line: LogLine } {
  const sequence = asCount(asObject(document['ringfence'])['sequence'], MAX_LONG);
  const line = lineOf(document);
  return line === null || sequence < 1
    ? reject('a log line without @timestamp, message or number')
    : { sequence, line };
}

function parse(text: Buffer | string, reject: Reject): Json {
  try {
    const value: unknown = JSON.parse(text.toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Json)
      : reject('JSON that is no object');
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return reject(`no JSON: ${error.message.slice(0, 200)}`);
  }
}

/** Agent, and device with inode where they are told, else the path. */
function fileOf(document: Json, { path }: LogLine): string {
  const file = asObject(asObject(document['log'])['file']);
  const inode = asText(file['inode'], 32);
  const agent = asText(asObject(document['agent'])['id'], 128);
  return `${agent}\0${inode === '' ? path : `${asText(file['device_id'], 32)}:${inode}`}`.slice(0, MAX_FILE_ID);
}
