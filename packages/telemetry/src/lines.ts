import type { DestinationStream } from 'pino';

const LEVEL_WIDTH = 5;

/** Text from a host under attack must not move the cursor or forge a line. */
function escapeControls(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, (character) => {
    const code = character.charCodeAt(0);
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`;
  });
}

function show(value: unknown): string {
  if (Array.isArray(value) && value.every((item) => typeof item !== 'object'))
    return value.length === 0 ? 'none' : value.map(show).join(',');
  if (typeof value !== 'string') return JSON.stringify(value) ?? 'undefined';
  return /[\s"=]/.test(value) || value === '' ? JSON.stringify(value) : value;
}

interface ErrorFacts {
  readonly message?: unknown;
  readonly stack?: unknown;
}

/** One JSON record as a line: time, level, who, what, facts. A stack follows below it, indented. */
export function toLine(json: string): string {
  const { time, level, service, msg, err, ...facts } = JSON.parse(json) as Record<string, unknown>;
  const clock = String(time).slice(11, 23);
  const who = service === undefined ? '' : `${String(service)}: `;
  const rest = Object.entries(facts).map(([key, value]) => ` ${key}=${show(value)}`);
  const error = err as ErrorFacts | undefined;
  if (error?.message !== undefined) rest.push(` error=${show(error.message)}`);
  const line = `${clock} ${String(level).toUpperCase().padEnd(LEVEL_WIDTH)} ${who}${String(msg ?? '')}${rest.join('')}`;
  // A message may have line breaks, which would look like records of their own; only the frames are taken.
  const stack =
    typeof error?.stack === 'string' ? error.stack.split('\n').filter((frame) => /^\s+at /.test(frame)) : [];
  return `${[line, ...stack].map(escapeControls).join('\n')}\n`;
}

/** Wraps a stream that takes lines of text as one that takes pino's records. */
export function lineStream(stream: DestinationStream): DestinationStream {
  return { write: (json) => stream.write(toLine(json)) };
}
