import { type Log, messageOf } from '@ringfence/base';
import type { ActionKind, ActionOutcome, Plan } from './action.ts';
import { ActionRefusedError, type RefusedReason } from './errors.ts';
import { Journal, type JournalEntry } from './journal.ts';

// biome-ignore lint/suspicious/noExplicitAny: a kind reads only what its own schemas checked
export type AnyKind = ActionKind<any, any, any>;

export interface RunnerOptions {
  readonly kinds: readonly AnyKind[];
  /** Directory of the journal */
  readonly directory: string;
  readonly log: Log;
  /** µs since the epoch */
  readonly now: () => number;
  /** ms until an action is aborted, and taken back where it can be. @default 60,000 */
  readonly deadlineMs?: number;
  /** Called at named points, for tests that end the agent there. @default nothing */
  readonly failpoint?: (name: string) => void;
}

/** An action that a checked command asks for. */
export interface ActionOrder {
  readonly id: string;
  readonly kind: string;
  /** As the command has them: checked by the kind */
  readonly parameters: unknown;
  /** µs since the epoch; 0: until it is taken back */
  readonly until: number;
  readonly cause: string;
  /** Who ordered it: a policy or an operator. */
  readonly who: string;
  readonly why: string;
}

export interface ActionAnswer {
  readonly outcome: ActionOutcome['outcome'] | 'refused' | 'planned';
  readonly reason: string;
  readonly facts: Readonly<Record<string, string>>;
}

const DEADLINE_MS = 60_000;
/** setTimeout takes at most 2^31 - 1 ms. */
const TIMER_MAX_MS = 2_000_000_000;
const RETRY_MS = 30_000;
const FACT_MAX = 1024;

/**
 * Plans actions, carries them out, and takes them back: on request, at their end, and after its next start where an
 * earlier agent was killed in between. Actions run side by side, so that a stuck one holds up no other.
 */
export class ActionRunner implements Disposable {
  readonly #options: RunnerOptions;
  readonly #kinds: ReadonlyMap<string, AnyKind>;
  readonly #journal: Journal;
  readonly #running = new Map<string, Promise<ActionAnswer>>();
  readonly #orders = new Map<string, ActionOrder>();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#kinds = new Map(options.kinds.map((kind) => [kind.name, kind]));
    this.#journal = new Journal(options.directory);
    for (const path of this.#journal.unreadable)
      options.log.error(
        { path },
        'this file of the journal of actions is not readable: what it holds is in force still',
      );
  }

  /** Whether there is an action of this name. */
  knows(kind: string): boolean {
    return this.#kinds.has(kind);
  }

  /** Whether this host has carried out the command, or has begun to. */
  has(id: string): boolean {
    return this.#running.has(id) || this.#journal.get(id) !== undefined;
  }

  /** Who ordered an action that is being carried out, and why. */
  orderOf(id: string): Pick<ActionOrder, 'who' | 'why'> {
    return this.#orders.get(id) ?? { who: '', why: '' };
  }

  /** The actions of this host, oldest first. */
  entries(): JournalEntry[] {
    return this.#journal.entries();
  }

  /**
   * Ends what an earlier agent left: takes back an action that it had begun and those whose time is over. One that
   * nothing takes back, a kill, is carried out again when its command comes again: it is aimed at the same processes.
   * Call it once at the start, before any other action.
   */
  async recover(): Promise<void> {
    const { now, log } = this.#options;
    for (const entry of this.#journal.entries()) {
      if (isUnfinished(entry)) {
        log.warn({ command: entry.id, action: entry.kind }, 'an action was cut short: its command comes again');
      } else if (entry.state === 'begun') {
        log.warn({ command: entry.id, action: entry.kind }, 'an action was cut short: it is taken back');
        await this.#takeBack(entry, 'the agent ended in the middle of it');
      } else if (isDue(entry, now())) await this.undo(entry.id);
    }
    this.#schedule();
  }

  /** Lists what the action would change. */
  async plan({ id, kind, parameters, until }: ActionOrder): Promise<ActionAnswer> {
    return this.#answering(async () => {
      const plan = await this.#kindOf(kind).plan(checked(this.#kindOf(kind), parameters), { id, until });
      return { outcome: 'planned', reason: '', facts: planFacts(plan) };
    });
  }

  /**
   * Carries out an action once: for an id that it knows it returns the first answer. The journal knows an id for longer
   * than its command is valid.
   */
  run(order: ActionOrder): Promise<ActionAnswer> {
    const known = this.#running.get(order.id);
    if (known !== undefined) return known;
    this.#orders.set(order.id, order);
    const running = this.#answering(() => this.#run(order)).finally(() => {
      this.#running.delete(order.id);
      this.#orders.delete(order.id);
    });
    this.#running.set(order.id, running);
    return running;
  }

  /** Takes an action back. An action that is over stays so. */
  async undo(id: string): Promise<ActionAnswer> {
    await this.#running.get(id);
    const entry = this.#journal.get(id);
    if (entry === undefined)
      return { outcome: 'refused', reason: 'unknown-command', facts: { message: `this host has no action ${id}` } };
    if (entry.state === 'over') return { outcome: 'gone', reason: entry.reason, facts: entry.facts };
    return this.#takeBack(entry, '');
  }

  /** Takes everything back, newest first. Returns the answers by id. */
  async undoAll(): Promise<Map<string, ActionAnswer>> {
    const answers = new Map<string, ActionAnswer>();
    for (const { id, state } of this.#journal.entries().reverse())
      if (state !== 'over') answers.set(id, await this.undo(id));
    return answers;
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  async #run(order: ActionOrder): Promise<ActionAnswer> {
    const { now, failpoint, deadlineMs = DEADLINE_MS } = this.#options;
    const { id, until, cause } = order;
    const known = this.#journal.get(id);
    if (known !== undefined && !isUnfinished(known)) return answerOf(known);
    if (this.#journal.isFull)
      throw new ActionRefusedError('too-large', 'too many actions are in force on this host: take some back first');
    const kind = this.#kindOf(order.kind);
    const plan = await kind.plan(checked(kind, order.parameters), { id, until });
    const begun: JournalEntry = {
      ...{ id, kind: kind.name, state: 'begun', inverse: plan.inverse, until, at: now(), cause },
      ...{ outcome: 'failed', reason: 'the agent ended in the middle of it', facts: planFacts(plan) },
    };
    failpoint?.('planned');
    this.#journal.put(begun);
    failpoint?.('begun');
    const applied = await applyWithin(kind, plan, deadlineMs);
    // What is gone now, the attempt that was cut short has ended.
    const outcome =
      known !== undefined && applied.outcome === 'gone' ? { ...applied, outcome: 'executed' as const } : applied;
    failpoint?.('applied');
    if (outcome.outcome === 'failed' && kind.inverse !== null) return this.#takeBack(begun, outcome.reason);
    const facts = { ...begun.facts, ...outcome.facts };
    const isOver = plan.inverse === null || outcome.outcome === 'gone';
    this.#journal.put({ ...begun, ...outcome, facts, state: isOver ? 'over' : 'held' });
    failpoint?.('held');
    this.#schedule();
    return { ...outcome, facts: bounded(facts) };
  }

  /** `why`: empty if the action was carried out and is only taken back now. */
  async #takeBack(entry: JournalEntry, why: string): Promise<ActionAnswer> {
    const { log, failpoint } = this.#options;
    const { id, kind: name, inverse } = entry;
    try {
      const kind = this.#kindOf(name);
      const undone =
        kind.inverse === null || inverse === null
          ? { outcome: 'gone' as const, reason: 'nothing takes it back', facts: {} }
          : await kind.undo(kind.inverse.parse(inverse), AbortSignal.timeout(DEADLINE_MS));
      failpoint?.('undone');
      if (undone.outcome === 'failed') throw new Error(undone.reason);
      const reason = why === '' ? undone.reason : `${why}; it was taken back`;
      const facts = { ...entry.facts, ...undone.facts };
      const outcome = why === '' ? undone.outcome : 'failed';
      this.#journal.put({ ...entry, state: 'over', outcome, reason, facts });
      log.info({ command: id, action: name, why, facts: undone.facts }, 'action taken back');
      return { outcome, reason, facts: bounded(facts) };
    } catch (error) {
      const reason = `it could not be taken back: ${messageOf(error)}`;
      log.error({ command: id, action: name, error: messageOf(error) }, 'an action could not be taken back');
      this.#schedule(RETRY_MS);
      return { outcome: 'failed', reason, facts: bounded(entry.facts) };
    }
  }

  /** Takes back what is due, now or when the next action's time is over. */
  #schedule(leastMs = 0): void {
    if (this.#isClosed) return;
    const { now } = this.#options;
    clearTimeout(this.#timer);
    this.#journal.prune(now());
    const next = Math.min(
      ...this.#journal.entries().flatMap(({ state, until }) => (state === 'held' && until > 0 ? until : [])),
    );
    if (!Number.isFinite(next)) return;
    const delay = Math.min(TIMER_MAX_MS, Math.max(leastMs, (next - now()) / 1000));
    this.#timer = setTimeout(() => void this.#undoDue(), delay);
    this.#timer.unref();
  }

  async #undoDue(): Promise<void> {
    const now = this.#options.now();
    let failed = false;
    for (const entry of this.#journal.entries())
      if (isDue(entry, now)) failed = (await this.undo(entry.id)).outcome === 'failed' || failed;
    this.#schedule(failed ? RETRY_MS : 0);
  }

  #kindOf(name: string): AnyKind {
    const kind = this.#kinds.get(name);
    if (kind === undefined) throw new ActionRefusedError('not-possible', `this agent has no action '${name}'`);
    return kind;
  }

  async #answering(act: () => Promise<ActionAnswer>): Promise<ActionAnswer> {
    try {
      return await act();
    } catch (error) {
      if (error instanceof ActionRefusedError) return refusal(error.reason, error.message);
      return { outcome: 'failed', reason: messageOf(error).slice(0, FACT_MAX), facts: {} };
    }
  }
}

/** Cut short, and nothing takes it back. */
const isUnfinished = ({ state, inverse }: JournalEntry): boolean => state === 'begun' && inverse === null;

const isDue = ({ state, until }: JournalEntry, now: number): boolean => state === 'held' && until > 0 && until <= now;

const refusal = (reason: RefusedReason, message: string): ActionAnswer => ({
  outcome: 'refused',
  reason,
  facts: { message: message.slice(0, FACT_MAX) },
});

function checked(kind: AnyKind, parameters: unknown): unknown {
  const result = kind.parameters.safeParse(parameters);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new ActionRefusedError('unreadable', `${kind.name}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
}

async function applyWithin(kind: AnyKind, plan: Plan<unknown, unknown>, deadlineMs: number): Promise<ActionOutcome> {
  const deadline = AbortSignal.timeout(deadlineMs);
  const late = new Promise<ActionOutcome>((resolve) => {
    deadline.addEventListener('abort', () => {
      // The action gets a moment to end by itself, which says more than this does.
      setTimeout(
        () => resolve({ outcome: 'failed', reason: `it took longer than ${deadlineMs} ms`, facts: {} }),
        1000,
      ).unref();
    });
  });
  try {
    return await Promise.race([kind.apply(plan, deadline), late]);
  } catch (error) {
    const reason = error instanceof ActionRefusedError ? `${error.reason}: ${error.message}` : messageOf(error);
    return { outcome: 'failed', reason: reason.slice(0, FACT_MAX), facts: {} };
  }
}

function planFacts({ targets, radius, spared }: Plan<unknown, unknown>): Record<string, string> {
  const facts: Record<string, string> = {};
  for (const [unit, count] of Object.entries(radius)) facts[unit] = String(count);
  if (targets.length > 0) facts['targets'] = listed(targets);
  if (spared.length > 0) facts['spared'] = listed(spared);
  return facts;
}

/** As many lines as fit. */
function listed(lines: readonly string[]): string {
  let text = '';
  for (const [index, line] of lines.entries()) {
    if (text.length + line.length > FACT_MAX) return `${text}and ${lines.length - index} more`;
    text += `${line}\n`;
  }
  return text.trimEnd();
}

const bounded = (facts: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(facts)
      .slice(0, 32)
      .map(([name, text]) => [name, text.slice(0, 2 * FACT_MAX)]),
  );

function answerOf({ outcome, reason, facts }: JournalEntry): ActionAnswer {
  return { outcome: outcome as ActionAnswer['outcome'], reason, facts: bounded(facts) };
}
