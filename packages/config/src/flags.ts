import { ConfigError } from './errors.ts';
import type { Flag } from './layers.ts';

export type NamedFlag = '--only' | '--state-dir' | '--mode' | '--log-level';

/** The settings that have a flag. `--set key=value` sets all other settings. */
export const NAMED_FLAGS: readonly {
  readonly flag: NamedFlag;
  readonly value: string;
  readonly key: string;
  readonly doc: string;
}[] = [
  { flag: '--only', value: 'services', key: 'services', doc: 'run only these services, separated by commas' },
  { flag: '--state-dir', value: 'path', key: 'stateDir', doc: 'directory of keys, bus and audit trail' },
  { flag: '--mode', value: 'mode', key: 'responder.mode', doc: 'observe (record what would be done) or enforce' },
  { flag: '--log-level', value: 'level', key: 'log.level', doc: 'lowest level that is logged' },
];

/** Parses `key=value`, the argument of `--set`. Throws ConfigError if the text has another format. */
export function parseSet(text: string): Flag {
  const equals = text.indexOf('=');
  if (equals > 0) return { flag: '--set', key: text.slice(0, equals).trim(), value: text.slice(equals + 1).trim() };
  throw new ConfigError([{ source: '--set', key: text, message: 'expected key=value, such as log.level=debug' }]);
}
