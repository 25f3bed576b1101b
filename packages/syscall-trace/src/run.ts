import { jsonText, pause } from '@ringfence/base';
import { callJson, callLine, callOf, goneJson, goneLine, type View } from './line.ts';
import type { Output } from './output.ts';
import { type Happening, Pairs } from './pairs.ts';
import { Summary, summaryTable } from './summary.ts';
import type { Tracer } from './tracer.ts';

const POLL_MS = 10;

export interface Show {
  readonly view: View;
  readonly json: boolean;
  /** counts instead of lines */
  readonly summary: boolean;
}

/** Shows what the tracer sees until `signal`, or until no traced process is left when `untilOver`. */
export async function show(
  tracer: Tracer,
  output: Output,
  how: Show,
  signal: AbortSignal,
  untilOver: boolean,
): Promise<void> {
  const pairs = new Pairs();
  const summary = new Summary();
  const tell = (happenings: readonly Happening[]): string =>
    how.summary ? count(summary, how.view, happenings) : happenings.map((one) => line(how, one)).join('');
  for (let last = false; !last; ) {
    // Looked at first: what comes before the end is then read below.
    last = signal.aborted || (untilOver && tracer.over);
    if (last) tracer.detach();
    for (const record of tracer.take()) await output.write(tell(pairs.add(record)));
    if (!last) await pause(POLL_MS, signal);
  }
  await output.write(tell(pairs.rest()));
  if (how.summary) await output.write(summaryText(summary, how.json));
}

function count(summary: Summary, view: View, happenings: readonly Happening[]): string {
  for (const one of happenings) if ('call' in one) summary.add(callOf(view, one.call.record).name, one.call);
  return '';
}

function line({ view, json }: Show, one: Happening): string {
  if (json) return `${jsonText('call' in one ? callJson(view, one.call) : goneJson(view, one.gone))}\n`;
  return `${'call' in one ? callLine(view, one.call) : goneLine(view, one.gone)}\n`;
}

function summaryText({ rows }: Summary, json: boolean): string {
  if (!json) return `${summaryTable(rows)}\n`;
  return rows
    .map(({ syscall, calls, errors, time }) => `${JSON.stringify({ syscall, calls, errors, timeNs: Number(time) })}\n`)
    .join('');
}
