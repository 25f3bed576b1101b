import { KEYS as NATIVE } from '../file/document.ts';
import type { Yaml, YamlMap } from '../file/yaml.ts';

/** Keys of the items of Falco's rule files. */
export const KEYS = {
  rule: [
    'rule',
    'desc',
    'condition',
    'output',
    'priority',
    'tags',
    'enabled',
    'source',
    'exceptions',
    'warn_evttypes',
    'skip-if-unknown-filter',
    'capture',
    'capture_duration',
    'append',
    'override',
  ],
  macro: ['macro', 'condition', 'desc', 'append', 'override'],
  list: ['list', 'items', 'desc', 'append', 'override'],
  required_engine_version: ['required_engine_version'],
  required_plugin_versions: ['required_plugin_versions'],
} as const;

const KNOWN: ReadonlySet<string> = new Set(Object.values(KEYS).flat());
const NATIVE_KEYS: ReadonlySet<string> = new Set(Object.values(NATIVE).flat());
/** Keys that no other language here has. */
const SIGNS: ReadonlySet<string> = new Set([...KNOWN].filter((key) => !NATIVE_KEYS.has(key)));
const FALCO_FIELD = /(?<![\w.])(?:evt|proc|fd|fs\.path|thread|fdlist|syslog)\.[a-z]/;
const ECS_FIELD = /(?<![\w.])(?:falco|event|process|file|destination|source|network|orchestrator|ringfence)\.[a-z]/;

/**
 * Whether a file is in Falco's format. It is if an item has a key that only Falco has. Otherwise, if its rules have all
 * keys that Falco requires (desc, output, priority) and no unknown key, the fields decide: the file names fields of
 * Falco and none of ECS. If it names neither, the file's name decides: falco_rules.local.yaml.
 */
export function isFalco(name: string, root: Yaml | undefined): boolean {
  if (root?.kind !== 'list') return false;
  const items = root.items.filter((item) => item.kind === 'map');
  const keys = items.flatMap(({ entries }) => entries.map(({ key }) => key));
  if (keys.some((key) => SIGNS.has(key))) return true;
  if (!keys.every((key) => KNOWN.has(key)) || !items.every(isWhole)) return false;
  const text = items.flatMap(textsOf).join('\n');
  if (ECS_FIELD.test(text)) return false;
  return FALCO_FIELD.test(text) || /falco[^/]*$/i.test(name);
}

/** Whether a rule has the keys that Falco requires. */
function isWhole({ entries }: YamlMap): boolean {
  const keys = new Set(entries.map(({ key }) => key));
  return !keys.has('rule') || ['desc', 'output', 'priority'].every((key) => keys.has(key));
}

function textsOf({ entries }: YamlMap): string[] {
  return entries.flatMap(({ key, value }) =>
    (key === 'condition' || key === 'output') && value.kind === 'text' ? [value.text] : [],
  );
}
