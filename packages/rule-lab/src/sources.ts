import { isAbsolute, relative, resolve } from 'node:path';
import { OperatorError } from '@ringfence/base';
import { type Config, rulePaths } from '@ringfence/config';
import { readRuleFiles } from '@ringfence/detector';
import type { RuleSource } from '@ringfence/rules';

/** Rules as `up` loads them, and the files that a command is about. */
export interface AskedSources {
  readonly sources: readonly RuleSource[];
  /** Names of sources. */
  readonly asked: ReadonlySet<string>;
}

/**
 * Reads the given files together with the configured files, whose macros and lists they can use; without files, only
 * the configured ones. Names are relative to the working directory. @param alone read only the given files
 */
export async function readSources(
  files: readonly string[],
  config: Pick<Config, 'detector'>,
  alone = false,
): Promise<AskedSources> {
  const configured = alone && files.length > 0 ? [] : named(await readRuleFiles(rulePaths(config)));
  const given = named(await readRuleFiles(files));
  if (files.length > 0 && given.length === 0)
    throw new OperatorError(`no rule file (.yaml, .yml) in ${files.join(', ')}`);
  const sources = new Map([...configured, ...given].map((source) => [source.name, source]));
  const asked = new Set((files.length > 0 ? given : configured).map(({ name }) => name));
  return { sources: [...sources.values()], asked };
}

function named(sources: readonly RuleSource[]): RuleSource[] {
  return sources.map(({ name, text }) => ({ name: shortName(name), text }));
}

/** Returns the path relative to `from` if it is below `from`, else the absolute path. */
export function shortName(path: string, from: string = process.cwd()): string {
  const absolute = resolve(from, path);
  const short = relative(from, absolute);
  return short === '' || short.startsWith('..') || isAbsolute(short) ? absolute : short;
}
