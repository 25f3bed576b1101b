import { join } from 'node:path';
import type { Home } from './schema.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const SYSTEM_FILE = '/etc/ringfence/ringfence.yaml';

/** The default places: the system's for root, the user's own (XDG) for anybody else. */
export function homeOf(env: Environment, uid: number): Home {
  if (uid === 0) return { stateDir: '/var/lib/ringfence', runDir: '/run/ringfence' };
  const state = env['XDG_STATE_HOME'] || join(env['HOME'] || '/tmp', '.local/state');
  const stateDir = join(state, 'ringfence');
  return {
    stateDir,
    runDir: env['XDG_RUNTIME_DIR'] ? join(env['XDG_RUNTIME_DIR'], 'ringfence') : join(stateDir, 'run'),
  };
}

/** The file read when none is named. It need not exist. */
export function defaultFile(env: Environment, uid: number): string {
  if (uid === 0) return SYSTEM_FILE;
  return join(env['XDG_CONFIG_HOME'] || join(env['HOME'] || '/', '.config'), 'ringfence/ringfence.yaml');
}
