import { join } from 'node:path';
import type { DefaultDirectories } from './schema.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const SYSTEM_FILE = '/etc/ringfence/ringfence.yaml';

/** Returns the default directories: system directories for root, XDG directories for other users. */
export function defaultDirectories(env: Environment, uid: number): DefaultDirectories {
  if (uid === 0) return { stateDir: '/var/lib/ringfence', runDir: '/run/ringfence' };
  const state = env['XDG_STATE_HOME'] || join(env['HOME'] || '/tmp', '.local/state');
  const stateDir = join(state, 'ringfence');
  return {
    stateDir,
    runDir: env['XDG_RUNTIME_DIR'] ? join(env['XDG_RUNTIME_DIR'], 'ringfence') : join(stateDir, 'run'),
  };
}

/** Returns the path of the default settings file, which need not exist. */
export function defaultFile(env: Environment, uid: number): string {
  if (uid === 0) return SYSTEM_FILE;
  return join(env['XDG_CONFIG_HOME'] || join(env['HOME'] || '/', '.config'), 'ringfence/ringfence.yaml');
}
