import { compileDetectorRules, type Rules } from '@ringfence/detector';
import { type CompiledRule, writeRules } from '@ringfence/rules';
import { EventView } from '@ringfence/wire';

export interface RuleCost {
  readonly rule: string;
  /** Number of events on which the rule matched. */
  readonly hits: number;
  /** ns per event for the rule alone, without reading the event. */
  readonly nanoseconds: number;
}

export interface BenchResult {
  readonly events: number;
  /** Events per second on one core of this machine: reading only, and with all rules. */
  readonly read: number;
  readonly matched: number;
  /** The most expensive rule first. */
  readonly rules: readonly RuleCost[];
}

/** The fastest of these runs counts, because disturbances only slow a run down. */
const RUNS = 3;

/**
 * Measures the cost of each rule alone on recorded events. Rules share common conditions, so the sum exceeds the cost
 * of all rules together. @param batches enriched batches, all in memory
 */
export function benchRules(
  set: Rules,
  names: ReadonlySet<string>,
  batches: readonly Buffer[],
  progress: (done: number, of: number) => void,
): BenchResult {
  const none = compileDetectorRules([]);
  const reading = fastest(none, batches);
  const all = fastest(set, batches);
  const asked = set.rules.filter(({ name }) => names.has(name));
  const rules = asked.map((rule, index) => {
    const alone = fastest(aloneWith(rule), batches);
    progress(index + 1, asked.length);
    const nanoseconds = alone.events === 0 ? 0 : (Math.max(0, alone.ms - reading.ms) * 1e6) / alone.events;
    return { rule: rule.name, hits: alone.hits, nanoseconds };
  });
  const perSecond = ({ events, ms }: Run): number => (ms === 0 ? 0 : Math.round((events / ms) * 1000));
  return {
    events: reading.events,
    read: perSecond(reading),
    matched: perSecond(all),
    rules: rules.sort((a, b) => b.nanoseconds - a.nanoseconds),
  };
}

function aloneWith(rule: CompiledRule<EventView>): Rules {
  return compileDetectorRules([{ name: rule.file, text: writeRules([rule]) }], 'hunt');
}

interface Run {
  readonly events: number;
  readonly hits: number;
  /** CPU time, so that other processes do not count. */
  readonly ms: number;
}

function fastest(set: Rules, batches: readonly Buffer[]): Run {
  const runs = Array.from({ length: RUNS }, () => runOnce(set, batches));
  // The first run counts hits: later runs would see its thresholds.
  return { ...runs[0]!, ms: Math.min(...runs.map(({ ms }) => ms)) };
}

function runOnce({ matcher }: Rules, batches: readonly Buffer[]): Run {
  const view = new EventView();
  const ignore = (): void => {};
  let events = 0;
  let hits = 0;
  const started = process.threadCpuUsage().user;
  for (const batch of batches) {
    view.open(batch);
    while (view.next()) {
      events++;
      hits += matcher.match(view, ignore, view.timestamp);
    }
  }
  return { events, hits, ms: (process.threadCpuUsage().user - started) / 1000 };
}
