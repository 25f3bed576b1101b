import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { Installation } from './program.ts';
import { skip as programSkip } from './root.ts';

/** Users of the two processes of an `up` in tests: every machine has them. */
export const SERVICES_USER = 'nobody';
export const SENSOR_USER = 'daemon';
export const TWO_USERS: readonly string[] = [`user=${SERVICES_USER}`, `sensor.user=${SENSOR_USER}`];

const idOf = (user: string, kind = '-u'): number => Number(spawnSync('id', [kind, user], { encoding: 'utf8' }).stdout);
export const gidOf = (user: string): number => idOf(user, '-g');
export const SERVICES_UID: number = idOf(SERVICES_USER);
export const SENSOR_UID: number = idOf(SENSOR_USER);
/** Reason to skip tests with two users, or false. */
export const skip: string | false =
  programSkip || ((SERVICES_UID === 0 || SENSOR_UID === 0) && `there is no user ${SERVICES_USER} or ${SENSOR_USER}`);

/** Compile cache of both users: the default one belongs to root, so each start would strip the types of all sources. */
const compileCache = mkdtempSync(join(tmpdir(), 'rf-compiled-'));
chmodSync(compileCache, 0o777);
after(() => rmSync(compileCache, { recursive: true, force: true }));

/** Returns an installation that both users can access. */
export function twoUserInstallation(settings: readonly string[] = []): Installation {
  const home = new Installation([...TWO_USERS, ...settings]);
  chmodSync(home.dir, 0o755);
  home.env['NODE_COMPILE_CACHE'] = compileCache;
  return home;
}
