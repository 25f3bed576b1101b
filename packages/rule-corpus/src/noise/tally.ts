import { type CompiledRule, PRIORITIES, type Priority } from '@ringfence/rules';
import type { EventView } from '@ringfence/wire';
import type { AlertCount } from './summary.ts';

const HIGH = PRIORITIES.indexOf('error');

interface Count {
  readonly rule: CompiledRule<EventView>;
  /** Output of the first alert. */
  readonly example: string;
  times: number;
}

/** Counts alerts by rule. */
export class Tally {
  readonly #counts = new Map<string, Count>();

  readonly count = (rule: CompiledRule<EventView>, output: string): void => {
    const count = this.#counts.get(rule.name) ?? { rule, example: output, times: 0 };
    count.times++;
    this.#counts.set(rule.name, count);
  };

  /** Number of alerts of high severity by rules of the profile `recommended`. */
  get high(): number {
    return this.#sum(({ rule }) => isHigh(rule.priority) && rule.profile === 'recommended');
  }

  /** Counts by rule, the highest severity first. */
  get alerts(): AlertCount[] {
    return this.#sorted().map(({ rule: { name, priority, profile }, times }) => ({
      rule: name,
      priority,
      profile,
      times,
    }));
  }

  /** Returns one line for each rule that raised an alert, the highest severity first. */
  render(): string {
    const lines = this.#sorted().map(
      ({ rule, times, example }) =>
        `${String(times).padStart(7)}  ${rule.priority} (${rule.profile})  ${rule.name}: ${example}`,
    );
    const total = this.#sum(() => true);
    return [...lines, `${total} alerts, ${this.high} of them recommended and of high severity (error or worse)`].join(
      '\n',
    );
  }

  #sorted(): Count[] {
    return [...this.#counts.values()].sort((a, b) => rank(b.rule) - rank(a.rule) || b.times - a.times);
  }

  #sum(isCounted: (count: Count) => boolean): number {
    return [...this.#counts.values()].filter(isCounted).reduce((sum, { times }) => sum + times, 0);
  }
}

function rank({ priority }: CompiledRule<EventView>): number {
  return PRIORITIES.indexOf(priority);
}

export function isHigh(priority: Priority): boolean {
  return PRIORITIES.indexOf(priority) >= HIGH;
}
