import { applies, comparePolicies, type Policy, type PolicyAction, type PolicyReach, type Subject } from './policy.ts';

export interface Verdict {
  readonly policy: string;
  readonly mode: 'observe' | 'enforce';
  readonly action: PolicyAction;
  readonly reach: PolicyReach;
  /** ms until the action is taken back; 0: never */
  readonly forMs: number;
}

/** Policy name in a command that follows a rule's `action: kill` because no policy applies. */
export const RULE_ACTION = 'rule-action';

/** The policies in force, by precedence. */
export class PolicySet {
  readonly #policies: readonly Policy[];
  readonly #fallback: 'observe' | 'enforce';
  /** Whether a policy looks at incidents. */
  readonly watchesIncidents: boolean;

  /** `fallback`: mode for a rule's `action: kill` where no policy applies. */
  constructor(policies: readonly Policy[], fallback: 'observe' | 'enforce') {
    this.#policies = [...policies].sort(comparePolicies);
    this.#fallback = fallback;
    this.watchesIncidents = policies.some(({ when }) => when.incident !== undefined);
  }

  /** Returns undefined if neither a policy nor the rule asks for an action. */
  judge(subject: Subject): Verdict | undefined {
    const policy = this.#policies.find((candidate) => applies(candidate, subject));
    if (policy !== undefined)
      return {
        ...{ policy: policy.policy, mode: policy.mode, action: policy.do, reach: policy.reach },
        forMs: policy.for ?? 0,
      };
    if (subject.incident === null && subject.action === 'kill')
      return { policy: RULE_ACTION, mode: this.#fallback, action: 'kill', reach: 'tree', forMs: 0 };
    return undefined;
  }
}
