import type { Config } from './config.ts';
import { ConfigError } from './errors.ts';
import { readSettingsFile } from './file.ts';
import { defaultFile, type Environment, homeOf } from './home.ts';
import { environmentLayer, type Flag, fileLayer, flagLayer } from './layers.ts';
import { compile, settingsSchema } from './schema.ts';
import { setAt } from './walk.ts';

export interface ConfigSources {
  /** must exist. @default RINGFENCE_CONFIG, else /etc/ringfence/ringfence.yaml (root) or the user's own, if there */
  readonly file?: string | undefined;
  /** @default process.env */
  readonly env?: Environment;
  readonly flags?: readonly Flag[];
}

export interface LoadedSettings {
  readonly config: Config;
  /** the same, under the names they are set by */
  readonly settings: Readonly<Record<string, unknown>>;
  /** by key, for those that aren't at their default: who set them */
  readonly origins: ReadonlyMap<string, string>;
}

/** What `loadConfig` does, keeping who set what: for `ringfence config show`. */
export function loadSettings(sources: ConfigSources = {}): LoadedSettings {
  const env = sources.env ?? process.env;
  const uid = process.getuid?.() ?? 1;
  const home = homeOf(env, uid);
  const schema = settingsSchema(home);
  const named = sources.file ?? (env['RINGFENCE_CONFIG'] || undefined);
  const file = readSettingsFile(named ?? defaultFile(env, uid), named === undefined);
  // Later ones win.
  const layers = [environmentLayer(schema, env), flagLayer(schema, sources.flags ?? [])];
  if (file !== undefined) layers.unshift(fileLayer(schema, file));
  const problems = layers.flatMap((layer) => layer.problems);
  if (problems.length > 0) throw new ConfigError(problems);

  const merged = {};
  const origins = new Map<string, string>();
  for (const { leaf, value, origin } of layers.flatMap((layer) => layer.given)) {
    setAt(merged, leaf.path, value);
    origins.set(leaf.key, origin);
  }
  const { config, settings, conflicts } = compile(home, merged);
  if (conflicts.length > 0) {
    throw new ConfigError(
      conflicts.map((conflict) => ({ source: origins.get(conflict.key) ?? 'default', ...conflict })),
    );
  }
  return { config, settings, origins };
}

/** Settings from flags, over environment, over file, over defaults. Throws ConfigError with every problem there is. */
export function loadConfig(sources: ConfigSources = {}): Config {
  return loadSettings(sources).config;
}
