import { styleText } from 'node:util';

/** Colours of one stream. They are off unless the stream is a terminal, and with NO_COLOR or TERM=dumb. */
export interface Paint {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly green: (text: string) => string;
  readonly cyan: (text: string) => string;
}

export function paintFor(stream: NodeJS.WritableStream): Paint {
  const style =
    (format: keyof Paint) =>
    (text: string): string =>
      styleText(format, text, { stream });
  return {
    bold: style('bold'),
    dim: style('dim'),
    red: style('red'),
    yellow: style('yellow'),
    green: style('green'),
    cyan: style('cyan'),
  };
}

const URGENT: ReadonlySet<string> = new Set(['critical', 'alert', 'emergency', 'error']);

/** Returns `text` in the colour of `priority`'s urgency. */
export function paintPriority(paint: Paint, priority: string, text: string = priority): string {
  if (URGENT.has(priority)) return paint.red(text);
  return priority === 'warning' ? paint.yellow(text) : paint.dim(text);
}
