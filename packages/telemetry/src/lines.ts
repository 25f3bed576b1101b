import type { DestinationStream } from 'pino';

const LEVEL_WIDTH = 5;

/** Escapes control characters: text from a compromised host must not move the cursor or forge a line. */
function escapeControls(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, (character) => {
    const code = character.charCodeAt(0);
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`;
  });
}

function format(value: unknown): string {
  if (Array.isArray(value) && value.every((item) => typeof item !== 'object'))
    return value.length === 0 ? 'none' : value.map(format).join(',');
  if (typeof value !== 'string') return JSON.stringify(value) ?? 'undefined';
  return /[\s"=]/.test(value) || value === '' ? JSON.stringify(value) : value;
}

interface ErrorFacts {
  readonly message?: unknown;
  readonly stack?: unknown;
}

/** Formats a JSON log record as a line: time, level, service, message, facts; an error's stack follows, indented. */
export function toLine(json: string): string {
  const { time, level, service, msg, err, ...facts } = JSON.parse(json) as Record<string, unknown>;
  const clock = String(time).slice(11, 23);
  const prefix = service === undefined ? '' : `${String(service)}: `;
  const fields = Object.entries(facts).map(([key, value]) => ` ${key}=${format(value)}`);
  const error = err as ErrorFacts | undefined;
  if (error?.message !== undefined) fields.push(` error=${format(error.message)}`);
  const line = `${clock} ${String(level).toUpperCase().padEnd(LEVEL_WIDTH)} ${prefix}${String(msg ?? '')}${fields.join('')}`;
  // Keep only the stack frames: a multi-line error message would look like separate records.
  const stack =
    typeof error?.stack === 'string' ? error.stack.split('\n').filter((frame) => /^\s+at /.test(frame)) : [];
  return `${[line, ...stack].map(escapeControls).join('\n')}\n`;
}

/** Adapts a stream of text lines to pino's JSON records. */
export function lineStream(stream: DestinationStream): DestinationStream {
  return { write: (json) => stream.write(toLine(json)) };
}
