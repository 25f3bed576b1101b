import type { ActionKind, ActionOutcome } from '../../src/action.ts';

export const NEVER: AbortSignal = new AbortController().signal;

/** What a caller of a kind does: checks the parameters, plans, keeps the inverse as JSON, and applies. */
export class RunKind<P, W, I> {
  readonly kind: ActionKind<P, W, I>;
  #stored: string | null = null;

  constructor(kind: ActionKind<P, W, I>) {
    this.kind = kind;
  }

  plan(parameters: unknown, id = 'command-1'): ReturnType<ActionKind<P, W, I>['plan']> {
    return this.kind.plan(this.kind.parameters.parse(parameters), { id, until: 0 });
  }

  /** @param between runs after the plan. */
  async run(parameters: unknown, between: () => unknown = () => {}, id = 'command-1'): Promise<ActionOutcome> {
    const plan = await this.plan(parameters, id);
    this.#stored = JSON.stringify(plan.inverse);
    await between();
    return this.kind.apply(plan, NEVER);
  }

  undo(stored: string | null = this.#stored): Promise<ActionOutcome> {
    if (this.kind.inverse === null || stored === null) throw new Error('there is no inverse');
    return this.kind.undo(this.kind.inverse.parse(JSON.parse(stored)), NEVER);
  }
}
