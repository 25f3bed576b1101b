/** Result of one check. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** State that was found. */
  readonly found: string;
  /** Consequence of the problem; empty when the check passed. */
  readonly costs: string;
  /** Command that fixes the problem, or an instruction where there is no command; empty when the check passed. */
  readonly fix: string;
}

export const passed = (name: string, found: string): Check => ({ name, ok: true, found, costs: '', fix: '' });

export const failed = (name: string, found: string, costs: string, fix: string): Check => ({
  name,
  ok: false,
  found,
  costs,
  fix,
});
