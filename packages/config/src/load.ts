import type { Config } from './config.ts';
import { defaultDirectories, defaultFile, type Environment } from './default-paths.ts';
import { ConfigError } from './errors.ts';
import { readSettingsFile } from './file.ts';
import { environmentLayer, type Flag, fileLayer, flagLayer } from './layers.ts';
import { compile, settingsSchema } from './schema.ts';
import { setAt } from './walk.ts';

export interface ConfigSources {
  /** Path, which must exist. @default RINGFENCE_CONFIG, else the default settings file of the user if it exists */
  readonly file?: string | undefined;
  /** Environment variables. @default process.env */
  readonly env?: Environment;
  readonly flags?: readonly Flag[];
}

export interface LoadedSettings {
  readonly config: Config;
  /** The same values under the names of the settings. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** The source of each setting that is not at its default, by key. */
  readonly origins: ReadonlyMap<string, string>;
}

/** Loads the settings like `loadConfig`, with the source of each value, for `ringfence config show`. */
export function loadSettings(sources: ConfigSources = {}): LoadedSettings {
  const env = sources.env ?? process.env;
  const uid = process.getuid?.() ?? 1;
  const directories = defaultDirectories(env, uid);
  const schema = settingsSchema(directories);
  const named = sources.file ?? (env['RINGFENCE_CONFIG'] || undefined);
  const file = readSettingsFile(named ?? defaultFile(env, uid), named === undefined);
  // Later layers override earlier ones.
  const layers = [environmentLayer(schema, env), flagLayer(schema, sources.flags ?? [])];
  if (file !== undefined) layers.unshift(fileLayer(schema, file));
  const problems = layers.flatMap((layer) => layer.problems);
  if (problems.length > 0) throw new ConfigError(problems);

  const merged = {};
  const origins = new Map<string, string>();
  for (const { leaf, value, origin } of layers.flatMap((layer) => layer.values)) {
    setAt(merged, leaf.path, value);
    origins.set(leaf.key, origin);
  }
  const { config, settings, conflicts } = compile(directories, merged);
  if (conflicts.length > 0) {
    throw new ConfigError(
      conflicts.map((conflict) => ({ source: origins.get(conflict.key) ?? 'default', ...conflict })),
    );
  }
  return { config, settings, origins };
}

/**
 * Loads the settings. Flags override the environment, which overrides the file. Throws ConfigError with all problems.
 */
export function loadConfig(sources: ConfigSources = {}): Config {
  return loadSettings(sources).config;
}
