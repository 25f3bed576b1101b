export interface ConfigProblem {
  /** the file, `environment`, or the flag */
  readonly source: string;
  /** from 1; undefined outside of files */
  readonly line?: number;
  readonly column?: number;
  /** the setting, with dots: sensor.pollInterval */
  readonly key: string;
  /** the expected value and the actual value */
  readonly message: string;
  readonly hint?: string;
}

function render(problem: ConfigProblem): string {
  const where = problem.line === undefined ? problem.source : `${problem.source}:${problem.line}:${problem.column}`;
  const key = problem.key === '' ? '' : `${problem.key}: `;
  const text = `${where}: ${key}${problem.message}${problem.hint === undefined ? '' : ` (${problem.hint})`}`;
  // Escape control characters, because keys and values are untrusted text that may be printed on a terminal.
  return text.replaceAll(/\p{Cc}/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

export type ConfigErrorCode =
  /**
   * The settings can't be used. Correct the file, variable or flag that the message names; it lists every problem at
   * once.
   */
  'ERR_CONFIG_INVALID';

/** The settings are invalid. Lists all problems at once, so that one edit can fix them all. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code: ConfigErrorCode = 'ERR_CONFIG_INVALID';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[], options?: ErrorOptions) {
    super(problems.map(render).join('\n'), options);
    this.problems = problems;
  }
}
