/** Settings of the responder. */
export interface ResponderOptions {
  /**
   * What is done about a rule's `action: kill` that no policy speaks about. Policies say their own mode. 'enforce' here enforces everywhere.
   * @default 'observe'
   */
  readonly mode?: 'observe' | 'enforce';
  /** Kills ordered for one host within a minute of event time; those beyond are refused and recorded. 0: none. @default 10 */
  readonly killsPerMinutePerHost?: number;
  /** Kills carried out in the fleet within a minute; those beyond wait, and are refused when they would expire waiting. 0: none. @default 120 */
  readonly killsPerMinute?: number;
  /** From the order on, ms; later it is not carried out. @default 30 s */
  readonly commandTtlMs?: number;
  /** An alert or incident older than this leads to no kill any more, ms: a backlog is history. @default 5 min */
  readonly maxCauseAgeMs?: number;
  /** How long the agent may take to answer, ms. @default 5 s */
  readonly controlTimeoutMs?: number;
  /** How long after its end the answer to a command is waited for, ms: an agent still tells what it did before. Then it has expired. @default 10 s */
  readonly answerGraceMs?: number;
  /** How long a host counts as attached to a responder that says nothing more, ms. @default 15 s */
  readonly attachedMs?: number;
  /** How often commands without an answer are routed again, ms. @default 1 s */
  readonly routeAgainMs?: number;
}

export type CompiledResponderOptions = Required<ResponderOptions>;

export function compileResponderOptions(options: ResponderOptions): CompiledResponderOptions {
  const compiled: CompiledResponderOptions = {
    mode: options.mode ?? 'observe',
    killsPerMinutePerHost: options.killsPerMinutePerHost ?? 10,
    killsPerMinute: options.killsPerMinute ?? 120,
    commandTtlMs: options.commandTtlMs ?? 30_000,
    maxCauseAgeMs: options.maxCauseAgeMs ?? 300_000,
    controlTimeoutMs: options.controlTimeoutMs ?? 5000,
    answerGraceMs: options.answerGraceMs ?? 10_000,
    attachedMs: options.attachedMs ?? 15_000,
    routeAgainMs: options.routeAgainMs ?? 1000,
  };
  const durations = [
    'commandTtlMs',
    'maxCauseAgeMs',
    'controlTimeoutMs',
    'answerGraceMs',
    'attachedMs',
    'routeAgainMs',
  ] as const;
  for (const name of durations) {
    if (!(compiled[name] > 0)) throw new RangeError(`responder.${name} is ${compiled[name]}: it must be above 0`);
  }
  for (const name of ['killsPerMinutePerHost', 'killsPerMinute'] as const) {
    if (!Number.isInteger(compiled[name]) || compiled[name] < 0) {
      throw new RangeError(`responder.${name} is ${compiled[name]}: expected a whole number from 0`);
    }
  }
  return compiled;
}
