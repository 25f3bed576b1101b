import { jsonText, pause } from '@ringfence/base';
import { CallMatcher, type TraceEvent } from './call-matcher.ts';
import { callJson, callLine, type Format, processEndJson, processEndLine, systemCallOf } from './format.ts';
import type { TraceOutput } from './output.ts';
import { Summary, summaryTable } from './summary.ts';
import type { Tracer } from './tracer.ts';

const POLL_MS = 10;

export interface PrintOptions {
  readonly format: Format;
  readonly json: boolean;
  /** Print counts at the end instead of a line for each call. */
  readonly summary: boolean;
  /** Stop when no traced process is left. */
  readonly untilOver: boolean;
}

/** Prints the trace until `signal` aborts, or until it is over. */
export async function printTrace(
  tracer: Tracer,
  output: TraceOutput,
  options: PrintOptions,
  signal: AbortSignal,
): Promise<void> {
  const matcher = new CallMatcher();
  const summary = new Summary();
  const textOf = (events: readonly TraceEvent[]): string => {
    if (!options.summary) return events.map((event) => lineOf(event, options)).join('');
    for (const event of events)
      if ('call' in event) summary.add(systemCallOf(options.format, event.call.record).name, event.call);
    return '';
  };
  for (let isLast = false; !isLast; ) {
    // Decided before the records are read: every record from before the end is then still printed.
    isLast = signal.aborted || (options.untilOver && tracer.isOver);
    if (isLast) tracer.detach();
    for (const record of tracer.readRecords()) await output.write(textOf(matcher.add(record)));
    if (!isLast) await pause(POLL_MS, signal);
  }
  await output.write(textOf(matcher.unfinished()));
  if (options.summary) await output.write(summaryText(summary, options.json));
}

function lineOf(event: TraceEvent, { format, json }: PrintOptions): string {
  if (json)
    return `${jsonText('call' in event ? callJson(format, event.call) : processEndJson(format, event.processEnd))}\n`;
  return `${'call' in event ? callLine(format, event.call) : processEndLine(format, event.processEnd)}\n`;
}

function summaryText({ rows }: Summary, json: boolean): string {
  if (!json) return `${summaryTable(rows)}\n`;
  return rows
    .map(({ syscall, calls, errors, time }) => `${JSON.stringify({ syscall, calls, errors, timeNs: Number(time) })}\n`)
    .join('');
}
