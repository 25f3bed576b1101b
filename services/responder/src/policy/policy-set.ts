import { applies, comparePolicies, type Policy, type Subject } from './policy.ts';

export interface Verdict {
  readonly policy: string;
  readonly mode: 'observe' | 'enforce';
}

/** Name that stands in a command when no policy spoke and the rule's own wish was heard. */
export const RULE_ACTION = 'rule-action';

/** The policies in force, in the order in which they are asked. */
export class PolicySet {
  readonly #policies: readonly Policy[];
  readonly #fallback: 'observe' | 'enforce';
  /** some policy looks at incidents */
  readonly watchesIncidents: boolean;

  /** `fallback`: what is done about a rule's `action: kill` that no policy speaks about. */
  constructor(policies: readonly Policy[], fallback: 'observe' | 'enforce') {
    this.#policies = [...policies].sort(comparePolicies);
    this.#fallback = fallback;
    this.watchesIncidents = policies.some(({ when }) => when.incident !== undefined);
  }

  /** undefined: nobody wants it killed. */
  judge(subject: Subject): Verdict | undefined {
    const policy = this.#policies.find((candidate) => applies(candidate, subject));
    if (policy !== undefined) return { policy: policy.policy, mode: policy.mode };
    if (subject.incident === null && subject.action === 'kill') return { policy: RULE_ACTION, mode: this.#fallback };
    return undefined;
  }
}
