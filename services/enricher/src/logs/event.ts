import { LANE, type Log } from '@ringfence/wire';
import type { ProcessEntry } from '../state/process.ts';
import { encodeEvent } from '../steps/encode-event.ts';
import type { LogLine } from './line.ts';
import { parseAlert } from './parsers/alerts.ts';
import { parseMessage } from './parsers/parse.ts';
import type { Parsed } from './parsers/parsed.ts';

const MAX_NAME = 256;
const MAX_COMMAND = 4096;
const MAX_FOLDER = 1024;

/** Any program can write JSON to a log: only the files of a sensor and its requests have alerts. */
const ALERT_FILE = /\/(?:falco|tetragon)[/.]/;

/** Parses a line that an agent has read. */
export const parseSigned = (line: LogLine): Parsed =>
  line.origin === 'http' || (line.origin === 'file' && ALERT_FILE.test(line.path))
    ? (parseAlert(line.text) ?? {})
    : parseMessage(line.program, line.text);

export interface LogEventSource {
  readonly line: LogLine;
  readonly parsed: Parsed;
  readonly origin: LogLine['origin'] | 'filebeat';
  readonly sequence: number;
  /** µs, CLOCK_BOOTTIME */
  readonly ktime: number;
  /** process that wrote the line, or that an alert is about; null: unknown */
  readonly process: ProcessEntry | null;
}

/** Returns the encoded Event of a line. */
export function logEvent({ process, sequence, ktime, ...source }: LogEventSource): Buffer {
  return encodeEvent({ lane: LANE.log, sequence, ktime, body: { 'ringfence.Log': bodyOf(source) } }, process);
}

function bodyOf({ line, parsed, origin }: Pick<LogEventSource, 'line' | 'parsed' | 'origin'>): Log {
  const { path, offset, program, pid, message, length } = line;
  const name = (value: string | undefined): string => value?.slice(0, MAX_NAME) ?? '';
  return {
    origin,
    path,
    offset,
    program,
    pid,
    message: { bytes: message, length },
    category: parsed.category ?? '',
    action: parsed.action ?? '',
    outcome: parsed.outcome ?? '',
    user: name(parsed.user),
    targetUser: name(parsed.targetUser),
    sourceAddress: name(parsed.sourceAddress),
    sourcePort: parsed.sourcePort ?? 0,
    method: name(parsed.method),
    fingerprint: name(parsed.fingerprint),
    command: parsed.command?.slice(0, MAX_COMMAND) ?? '',
    workingDirectory: parsed.workingDirectory?.slice(0, MAX_FOLDER) ?? '',
    tty: name(parsed.tty),
    provider: parsed.provider ?? '',
    rule: name(parsed.rule),
    level: parsed.level ?? '',
  };
}
