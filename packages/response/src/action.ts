import type { z } from 'zod';

/**
 * A kind of action. Parameters and inverses are hostile: the first come in a command, the second from a file. Both are
 * checked by their schemas before any other member is called.
 */
export interface ActionKind<Parameters, Work, Inverse> {
  readonly name: string;
  readonly parameters: z.ZodType<Parameters>;
  /** null: nothing takes the action back. */
  readonly inverse: z.ZodType<Inverse> | null;
  /**
   * The dry run: finds what the action would change now, and changes nothing. Throws ActionRefusedError when the
   * action must not be carried out, or the kernel cannot hold it.
   */
  plan(parameters: Parameters, request: ActionRequest): Promise<Plan<Work, Inverse>>;
  /**
   * Carries out a plan, whose inverse is on disk by then, and verifies the effect. Throws ActionRefusedError if the
   * target is no longer what the plan found. `signal` aborts at the action's deadline: what was begun is then taken
   * back by `undo`.
   */
  apply(plan: Plan<Work, Inverse>, signal: AbortSignal): Promise<ActionOutcome>;
  /**
   * Takes the action back, whether it was carried out whole, in part or not at all: an agent that was killed in
   * between calls it after its next start. A second call changes nothing more.
   */
  undo(inverse: Inverse, signal: AbortSignal): Promise<ActionOutcome>;
}

export interface ActionRequest {
  /** Id of the command: printable ASCII, at most 128 characters. */
  readonly id: string;
  /** µs since the epoch, when the action is taken back by itself; 0: never. */
  readonly until: number;
}

export interface Plan<Work, Inverse> {
  /** Each thing that the action will change, as an operator reads it before an approval. */
  readonly targets: readonly string[];
  /** How much the action hits, by its unit: `processes`, `connections`, `listeningPorts`, `peers`, `files`, `bytes`. */
  readonly radius: Readonly<Record<string, number>>;
  /** Things in reach that the action leaves alone, each with the reason. */
  readonly spared: readonly string[];
  /** What `apply` needs */
  readonly work: Work;
  /** What takes the action back, as JSON in the journal; null: nothing does. */
  readonly inverse: Inverse | null;
}

export interface ActionOutcome {
  /** `gone`: there was nothing left to act on. */
  readonly outcome: 'executed' | 'gone' | 'failed';
  /** What failed, and what to do; empty: nothing did. */
  readonly reason: string;
  /** What was done, by name, for the Result: at most 32 short texts. */
  readonly facts: Readonly<Record<string, string>>;
}
