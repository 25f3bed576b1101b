import type { Log } from './log.ts';
import type { LabelSets, Labels, Metrics } from './metrics.ts';

export interface EventSpec<L extends LabelSets> {
  /** bus_full: counted as ringfence_SERVICE_bus_full_total */
  readonly name: string;
  /** `warn`: nothing was lost; `error`: data was lost or a person is needed */
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** of the log line, and help of the counter */
  readonly message: string;
  readonly labels: L;
  /** ms between two log lines; those in between are counted, and the next line says how many. @default 1000 */
  readonly quietMs?: number;
}

/** Something worth telling happened. `facts` go to the log only; `by` is how often. @default by 1 */
export type Emit<L extends LabelSets> = (labels: Labels<L>, facts?: object, by?: number) => void;

const QUIET_MS = 1000;

/** One named event: its log line and its counter can't drift apart, and a flood of it can't fill the log. */
export function defineEvent<const L extends LabelSets>(log: Log, metrics: Metrics, spec: EventSpec<L>): Emit<L> {
  const { name, level, message, labels: sets, quietMs = QUIET_MS } = spec;
  const counter = metrics.counter(`${name}_total`, message, sets);
  let lastLine = Number.NEGATIVE_INFINITY;
  let unsaid = 0;
  return (labels, facts = {}, by = 1) => {
    counter.add(labels, by);
    const now = performance.now();
    if (now - lastLine < quietMs) {
      unsaid += 1;
      return;
    }
    log[level](
      { event: name, ...labels, ...facts, ...(by === 1 ? {} : { count: by }), ...(unsaid === 0 ? {} : { unsaid }) },
      message,
    );
    lastLine = now;
    unsaid = 0;
  };
}
