import type { WriteStream } from 'node:tty';

/** Colours for one stream: none unless it is a terminal, or when NO_COLOR is set (no-color.org). */
export interface Paint {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly green: (text: string) => string;
  readonly cyan: (text: string) => string;
}

const plain = (text: string): string => text;
const sgr = (code: number, end: number) => (text: string) => `\u001b[${code}m${text}\u001b[${end}m`;

export function paintFor(stream: NodeJS.WritableStream, env: NodeJS.ProcessEnv = process.env): Paint {
  const colours = (stream as Partial<WriteStream>).isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
  if (!colours) return { bold: plain, dim: plain, red: plain, yellow: plain, green: plain, cyan: plain };
  return {
    bold: sgr(1, 22),
    dim: sgr(2, 22),
    red: sgr(31, 39),
    yellow: sgr(33, 39),
    green: sgr(32, 39),
    cyan: sgr(36, 39),
  };
}

const URGENT: ReadonlySet<string> = new Set(['critical', 'alert', 'emergency', 'error']);

/** A priority in the colour of its urgency. */
export function paintPriority(paint: Paint, priority: string, text: string = priority): string {
  if (URGENT.has(priority)) return paint.red(text);
  return priority === 'warning' ? paint.yellow(text) : paint.dim(text);
}
