import { spawnSync } from 'node:child_process';

/** Returns why this machine refuses a priority, or null. `command` sets it and runs the command that follows. */
export function refusalOf(command: readonly string[]): string | null {
  const [file = '', ...args] = [...command, 'true'];
  const { status, stderr, error } = spawnSync(file, args, { encoding: 'utf8' });
  return status === 0 ? null : error?.message || stderr.trim();
}
