import { isAbsolute, relative, resolve } from 'node:path';
import { OperatorError } from '@ringfence/base';
import type { Config } from '@ringfence/config';
import { rulePaths } from '@ringfence/config';
import { readRuleFiles } from '@ringfence/detector';
import type { RuleSource } from '@ringfence/rules';

/** Rules as `up` would load them, and which of the files a command is asked about. */
export interface AskedSources {
  readonly sources: readonly RuleSource[];
  /** names of sources */
  readonly asked: ReadonlySet<string>;
}

/**
 * The files that were asked for, together with the configured ones, whose macros and lists they may use; without any, the configured ones.
 * `alone`: nothing but them. Names are as people type them: relative to where they are.
 */
export async function readSources(
  files: readonly string[],
  config: Pick<Config, 'detector'>,
  alone = false,
): Promise<AskedSources> {
  const configured = alone && files.length > 0 ? [] : named(await readRuleFiles(rulePaths(config)));
  const own = named(await readRuleFiles(files));
  if (files.length > 0 && own.length === 0)
    throw new OperatorError(`no rule file (.yaml, .yml) in ${files.join(', ')}`);
  const sources = new Map([...configured, ...own].map((source) => [source.name, source]));
  const asked = new Set((files.length > 0 ? own : configured).map(({ name }) => name));
  return { sources: [...sources.values()], asked };
}

function named(sources: readonly RuleSource[]): RuleSource[] {
  return sources.map(({ name, text }) => ({ name: shortName(name), text }));
}

/** Relative to here, where that is below here. */
export function shortName(path: string, from: string = process.cwd()): string {
  const absolute = resolve(from, path);
  const short = relative(from, absolute);
  return short === '' || short.startsWith('..') || isAbsolute(short) ? absolute : short;
}
