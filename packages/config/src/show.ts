import { stringify } from 'yaml';
import { type ConfigSources, loadSettings } from './load.ts';
import { settingsSchema } from './schema.ts';
import type { Address, Kind } from './setting.ts';
import { formatDuration, formatSize } from './units.ts';
import { getAt, walk } from './walk.ts';

const MASK = '"********"';
const COMMENT_COLUMN = 48;

function writeAddress({ host, port }: Address): string {
  return host.includes(':') ? `"[${host}]:${port}"` : `${host}:${port}`;
}

/** Formats a value for a settings file. */
function write(kind: Kind, value: unknown): string {
  if (kind === 'secret') return value === '' ? '""' : MASK;
  if (kind === 'duration') return formatDuration(Number(value));
  if (kind === 'size') return formatSize(Number(value));
  if (kind === 'address') return writeAddress(value as Address);
  return stringify(value, { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: false }).trimEnd();
}

/**
 * Returns the settings in effect as a valid YAML file, with the source of each value in a comment and secrets masked.
 * Throws ConfigError like `loadConfig`.
 */
export function showConfig(sources: ConfigSources = {}): string {
  const { config, settings, origins } = loadSettings(sources);
  const lines: string[] = [];
  for (const node of walk(settingsSchema({ stateDir: config.stateDir, runDir: config.runDir }))) {
    const path = node.key.split('.');
    const start = `${'  '.repeat(path.length - 1)}${path.at(-1)}:`;
    if (!('info' in node)) lines.push(start);
    else {
      const origin = origins.get(node.key);
      const line = `${start} ${write(node.info.kind, getAt(settings, path))}`;
      lines.push(origin === undefined ? line : `${line.padEnd(COMMENT_COLUMN)} # ${origin}`);
    }
  }
  return `${lines.join('\n')}\n`;
}
