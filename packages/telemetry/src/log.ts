import { type DestinationStream, destination, type Level, type Logger, pino, stdTimeFunctions } from 'pino';
import { lineStream } from './lines.ts';

/** What code below the entry points knows of a log. */
export interface Log {
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  /** something is wrong, and nothing was lost */
  warn(facts: object, message: string): void;
  /** data was lost, or a person is needed */
  error(facts: object, message: string): void;
}

export interface LogOptions {
  /** @default 'info' */
  readonly level?: Level | 'silent';
  /** `lines` for people, `json` for machines; `auto` takes lines on a terminal. @default 'auto' */
  readonly format?: 'auto' | 'lines' | 'json';
  /** @default stderr, written at once, so that the last words of a crash are not lost */
  readonly stream?: DestinationStream;
}

/** Named at construction, so that no caller can forget. */
const SECRETS = ['token', 'password', 'secret', 'privateKey', 'authorization'];
const REDACTED = SECRETS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);

const STDERR = 2;

/** The program's log. Parts get theirs by `log.child({ service })`. */
export function createLogger(options: LogOptions = {}): Logger {
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
