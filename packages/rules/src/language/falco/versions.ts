import { Fault } from '../../diagnostics/errors.ts';
import type { Home, Yaml, YamlEntry, YamlMap } from '../file/yaml.ts';
import { fail, textOf } from './definition.ts';

/** The version of Falco's engine whose language is supported: `required_engine_version`. */
export const ENGINE = '0.62.0';
/** Plugins that are not needed: the agent reads their data itself. */
const BUILT_IN: ReadonlySet<string> = new Set(['container']);

/** `0.57.0`, or 57, which is 0.57.0. */
export function checkEngineVersion(value: Yaml, home: Home): void {
  const text = value.kind === 'text' ? value.text.trim() : '';
  const wanted = /^\d+$/.test(text) ? `0.${text}.0` : text;
  if (!/^\d+\.\d+\.\d+/.test(wanted))
    fail('falco-version', value.at, `'${text}' is not a version`, 'Write 0.57.0 or 57.');
  if (compare(wanted, ENGINE) <= 0) return;
  const message = `this file requires version ${wanted} of Falco's engine; the supported version is ${ENGINE}`;
  home.report(
    'warning',
    new Fault('falco-version', value.at, message, 'Newer keys and fields may be reported as unknown.'),
    '',
  );
}

function compare(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split(/[.+-]/).slice(0, 3).map(Number));
  for (let i = 0; i < 3; i++) if (left![i] !== right![i]) return left![i]! - right![i]!;
  return 0;
}

export function checkPluginVersions(value: Yaml, home: Home): void {
  if (value.kind !== 'list')
    fail('shape', value.at, "'required_plugin_versions' must be a list", 'Write - name: …, version: ….');
  for (const item of value.items) {
    if (item.kind !== 'map') fail('shape', item.at, 'a required plugin has a name and a version');
    const names = namesOf(item);
    if (names.some((name) => BUILT_IN.has(name))) continue;
    const message = `this file needs the plugin ${names.map((name) => `'${name}'`).join(' or ')} of Falco, and plugins don't run here`;
    home.report('warning', new Fault('falco-plugin', item.at, message, 'Rules on its events never match.'), '');
  }
}

/** Returns the names of the plugin and its alternatives. */
function namesOf(item: YamlMap): string[] {
  const keys = new Map<string, YamlEntry>(item.entries.map((entry) => [entry.key, entry]));
  const name = textOf(keys, 'name')?.text ?? fail('shape', item.at, 'a required plugin has a name');
  if (textOf(keys, 'version') === undefined) fail('shape', item.at, `plugin '${name}' has no version`);
  const more = keys.get('alternatives')?.value;
  if (more === undefined) return [name];
  if (more.kind !== 'list') return fail('shape', more.at, "'alternatives' must be a list");
  return [name, ...more.items.flatMap((alternative) => (alternative.kind === 'map' ? namesOf(alternative) : []))];
}
