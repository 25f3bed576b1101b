/** Settings of the responder. */
export interface ResponderOptions {
  /**
   * Mode for a rule's `action: kill` where no policy applies. A policy has a mode of its own. 'enforce' enforces on all
   * hosts.
   * @default 'observe'
   */
  readonly mode?: 'observe' | 'enforce';
  /**
   * Kills of one host per minute. Those beyond are refused and recorded. 0: none. The responder limits them by the time
   * they were ordered, and by the clock before they are sent.
   * @default 10
   */
  readonly killsPerMinutePerHost?: number;
  /**
   * Kills of the fleet per minute. Those beyond wait, and are refused if they would expire while they wait. 0: none.
   * @default 120
   */
  readonly killsPerMinute?: number;
  /** Life of a command, ms. The agent does not carry out an expired command. @default 30 s */
  readonly commandTtlMs?: number;
  /** Maximum age of an alert that leads to a kill, ms: an older one is from a backlog. @default 5 min */
  readonly maxCauseAgeMs?: number;
  /** Deadline for the answer of an agent, ms. @default 5 s */
  readonly controlTimeoutMs?: number;
  /**
   * How long an answer is awaited after a command has expired, ms: the agent may have carried it out in time.
   * @default 10 s
   */
  readonly answerGraceMs?: number;
  /** Life of the lease for an attached host, ms: how long a crashed responder seems to hold it. @default 15 s */
  readonly attachedMs?: number;
  /** Interval of routing open commands, ms. @default 1 s */
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
    if (!(compiled[name] > 0)) throw new RangeError(`responder.${name} is ${compiled[name]}: expected more than 0`);
  }
  for (const name of ['killsPerMinutePerHost', 'killsPerMinute'] as const) {
    if (!Number.isInteger(compiled[name]) || compiled[name] < 0) {
      throw new RangeError(`responder.${name} is ${compiled[name]}: expected an integer of at least 0`);
    }
  }
  return compiled;
}
