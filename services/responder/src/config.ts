/** Settings of the responder. */
export interface ResponderOptions {
  /**
   * What is done about a rule's `action: kill` that no policy speaks about. Policies say their own mode. 'enforce' here enforces everywhere.
   * @default 'observe'
   */
  readonly mode?: 'observe' | 'enforce';
  /** Kills ordered for one host within a minute of event time; those beyond are refused and recorded. 0: none. @default 10 */
  readonly killsPerMinutePerHost?: number;
  /** From the order on, ms; later it is not carried out. @default 30 s */
  readonly commandTtlMs?: number;
  /** An alert or incident older than this leads to no kill any more, ms: a backlog is history. @default 5 min */
  readonly maxCauseAgeMs?: number;
  /** How long the agent may take to answer, ms. @default 5 s */
  readonly controlTimeoutMs?: number;
}

export type CompiledResponderOptions = Required<ResponderOptions>;

export function compileResponderOptions(options: ResponderOptions): CompiledResponderOptions {
  const compiled: CompiledResponderOptions = {
    mode: options.mode ?? 'observe',
    killsPerMinutePerHost: options.killsPerMinutePerHost ?? 10,
    commandTtlMs: options.commandTtlMs ?? 30_000,
    maxCauseAgeMs: options.maxCauseAgeMs ?? 300_000,
    controlTimeoutMs: options.controlTimeoutMs ?? 5000,
  };
  for (const name of ['commandTtlMs', 'maxCauseAgeMs', 'controlTimeoutMs'] as const) {
    if (!(compiled[name] > 0)) throw new RangeError(`responder.${name} is ${compiled[name]}: it must be above 0`);
  }
  if (!Number.isInteger(compiled.killsPerMinutePerHost) || compiled.killsPerMinutePerHost < 0) {
    throw new RangeError(
      `responder.killsPerMinutePerHost is ${compiled.killsPerMinutePerHost}: expected a whole number from 0`,
    );
  }
  return compiled;
}
