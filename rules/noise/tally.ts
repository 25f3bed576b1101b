import { type CompiledRule, PRIORITIES } from '@ringfence/rules';
import type { EventView } from '@ringfence/schema';

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
    return this.#sum(({ rule }) => isHigh(rule) && rule.profile === 'recommended');
  }

  /** One line for each rule that was wrong, the worst first. */
  render(): string {
    const counts = [...this.#counts.values()].sort((a, b) => rank(b.rule) - rank(a.rule) || b.times - a.times);
    const lines = counts.map(
      ({ rule, times, example }) =>
        `${String(times).padStart(7)}  ${rule.priority} (${rule.profile})  ${rule.name}: ${example}`,
    );
    const all = this.#sum(() => true);
    return [...lines, `${all} alerts, ${this.high} of them recommended and of high severity (error or worse)`].join(
      '\n',
    );
  }

  #sum(counts: (count: Count) => boolean): number {
    return [...this.#counts.values()].filter(counts).reduce((sum, { times }) => sum + times, 0);
  }
}

function rank({ priority }: CompiledRule<EventView>): number {
  return PRIORITIES.indexOf(priority);
}

function isHigh(rule: CompiledRule<EventView>): boolean {
  return rank(rule) >= HIGH;
}
