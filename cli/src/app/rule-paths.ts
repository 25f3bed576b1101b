import { join } from 'node:path';
import type { Config } from '@ringfence/config';
import { HOME } from '../commands/context.ts';

/** Where the rules lie; `builtin` is the content that comes with Ringfence. */
export function rulePaths(config: Pick<Config, 'detector'>): string[] {
  return config.detector.rules.map((path) => (path === 'builtin' ? join(HOME, 'rules') : path));
}
