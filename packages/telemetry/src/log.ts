import { type DestinationStream, destination, type Level, type Logger, pino, stdTimeFunctions } from 'pino';
import { lineStream } from './lines.ts';

export interface LogOptions {
  /** @default 'info' */
  readonly level?: Level | 'silent';
  /** `lines` for people, `json` for machines; `auto` writes lines to a terminal and JSON otherwise. @default 'auto' */
  readonly format?: 'auto' | 'lines' | 'json';
  /** @default stderr, written synchronously so that the last lines before a crash are not lost */
  readonly stream?: DestinationStream;
}

/** Redacted by the logger, so that no caller can forget it. */
const SECRETS = ['token', 'password', 'secret', 'privateKey', 'authorization'];
const REDACTED = SECRETS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);

const STDERR = 2;

/** Log of a process; `createLogger` returns it. */
export type AppLog = Logger;

/** Creates the program's log. Components use `log.child({ service })`. */
export function createLogger(options: LogOptions = {}): AppLog {
  const { level = 'info', format = 'auto', stream = destination({ fd: STDERR, sync: true }) } = options;
  const lines = format === 'lines' || (format === 'auto' && process.stderr.isTTY === true);
  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: REDACTED, censor: '[secret]' },
    },
    lines ? lineStream(stream) : stream,
  );
}
