import { LANE, type Log } from '@ringfence/wire';
import type { ProcessEntry } from '../state/process.ts';
import { encodeEvent } from '../steps/encode-event.ts';
import type { LogLine } from './line.ts';
import { parseMessage } from './parsers/parse.ts';

const MAX_NAME = 256;
const MAX_COMMAND = 4096;
const MAX_FOLDER = 1024;

export type LogOrigin = 'file' | 'journald' | 'filebeat';

/** Returns the encoded Event of a line. `process`: its sender, if the journal names it; null: unknown. */
export function logEvent(
  line: LogLine,
  origin: LogOrigin,
  sequence: number,
  ktime: number,
  process: ProcessEntry | null,
): Buffer {
  return encodeEvent({ lane: LANE.log, sequence, ktime, body: { 'ringfence.Log': bodyOf(line, origin) } }, process);
}

function bodyOf(line: LogLine, origin: LogOrigin): Log {
  const { path, offset, program, pid, message, length, text } = line;
  const parsed = parseMessage(program, text);
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
  };
}
