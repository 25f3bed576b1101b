import { type CompiledRule, PRIORITIES, type Priority } from '@ringfence/rules';
import type { EventView } from '@ringfence/wire';
import type { AlertCount } from './summary.ts';

const HIGH = PRIORITIES.indexOf('error');

interface Count {
  readonly rule: CompiledRule<EventView>;
  /** what the first one said */
  readonly example: string;
  times: number;
}

/** Alerts, by rule. */
export class Tally {
  readonly #counts = new Map<string, Count>();

  readonly count = (rule: CompiledRule<EventView>, output: string): void => {
    const known = this.#counts.get(rule.name) ?? { rule, example: output, times: 0 };
    known.times++;
    this.#counts.set(rule.name, known);
  };

  /** Alerts of high severity by rules of the profile `recommended`. */
  get high(): number {
    return this.#sum(({ rule }) => isHigh(rule.priority) && rule.profile === 'recommended');
  }

  /** By rule, the worst first. */
  get alerts(): AlertCount[] {
    return this.#sorted().map(({ rule: { name, priority, profile }, times }) => ({
      rule: name,
      priority,
      profile,
      times,
    }));
  }

  /** One line for each rule that was wrong, the worst first. */
  render(): string {
    const lines = this.#sorted().map(
      ({ rule, times, example }) =>
        `${String(times).padStart(7)}  ${rule.priority} (${rule.profile})  ${rule.name}: ${example}`,
    );
    const all = this.#sum(() => true);
    return [...lines, `${all} alerts, ${this.high} of them recommended and of high severity (error or worse)`].join(
      '\n',
    );
  }

  #sorted(): Count[] {
    return [...this.#counts.values()].sort((a, b) => rank(b.rule) - rank(a.rule) || b.times - a.times);
  }

  #sum(counts: (count: Count) => boolean): number {
    return [...this.#counts.values()].filter(counts).reduce((sum, { times }) => sum + times, 0);
  }
}

function rank({ priority }: CompiledRule<EventView>): number {
  return PRIORITIES.indexOf(priority);
}

export function isHigh(priority: Priority): boolean {
  return PRIORITIES.indexOf(priority) >= HIGH;
}
