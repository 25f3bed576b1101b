import type { z } from 'zod';
import type { Environment } from './default-paths.ts';
import type { ConfigProblem } from './errors.ts';
import type { SettingsFile } from './file.ts';
import { fromText, sectionDoc } from './setting.ts';
import { suggest } from './suggest.ts';
import { environmentName, getAt, isRecord, type Leaf, leavesOf, type SettingsSchema } from './walk.ts';

/** A setting with its value in the notation of a source. */
export interface SettingValue {
  readonly leaf: Leaf;
  readonly value: unknown;
  /** file:line:column, the variable, or the flag */
  readonly origin: string;
}

export interface Layer {
  readonly values: readonly SettingValue[];
  readonly problems: readonly ConfigProblem[];
}

/** A setting on the command line. */
export interface Flag {
  /** as typed: `--set`, `--log-level` */
  readonly flag: string;
  readonly key: string;
  readonly value: string;
}

/** Environment variables of Ringfence that are not settings. */
const NOT_SETTINGS = new Set([
  ...['RINGFENCE_CONFIG', 'RINGFENCE_YARDSTICKS', 'RINGFENCE_FAILPOINT', 'RINGFENCE_PART'],
  ...['RINGFENCE_KIBANA_API_KEY', 'RINGFENCE_KIBANA_PASSWORD'],
]);
/** Prefix of the environment variables of tests, and of the servers that `ringfence dev fleet` starts (TESTKIT_). */
const TEST_PREFIX = 'RINGFENCE_TEST';

/** Settings of 0.1.0 that no longer exist, with the variables of their sections. */
const REMOVED = ['topics.hostIncidents'];
const REMOVED_HINT = { hint: 'the setting has been removed: delete it' };

const isRemoved = (written: string): boolean =>
  REMOVED.some((key) => `${written}.`.startsWith(`${key}.`) || `${written}_`.startsWith(`${environmentName(key)}_`));

/** `written`: the whole key, or the name of the variable. */
function hintFor(written: string, candidates: readonly string[]): { hint?: string } {
  if (isRemoved(written)) return REMOVED_HINT;
  const suggestion = suggest(written, candidates);
  return suggestion === undefined ? {} : { hint: `did you mean ${suggestion}?` };
}

function hintOf(issue: z.core.$ZodIssue): { hint?: string } {
  const hint: unknown = issue.code === 'custom' ? issue.params?.['hint'] : undefined;
  return typeof hint === 'string' ? { hint } : {};
}

function kindName(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  return isRecord(value) ? 'a section' : `\`${String(value).slice(0, 60)}\``;
}

/** Replaces null sections by empty sections: `log:` with only comments below it is valid. */
function withoutEmptySections(schema: SettingsSchema, value: unknown): unknown {
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, child]) => {
      const inner = Object.hasOwn(schema.shape, name) ? schema.shape[name] : undefined;
      if (inner === undefined || !sectionDoc.has(inner)) return [name, child];
      const section = (inner as z.ZodPrefault<SettingsSchema>).unwrap();
      return [name, child === null ? {} : withoutEmptySections(section, child)];
    }),
  );
}

function fileProblems(schema: SettingsSchema, file: SettingsFile, issue: z.core.$ZodIssue): ConfigProblem[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    const leaves = leavesOf(schema);
    const prefix = path.length === 0 ? '' : `${path.join('.')}.`;
    const siblings = leaves
      .filter(({ key }) => key.startsWith(prefix))
      .map(({ key }) => key.slice(prefix.length).split('.')[0]!);
    return issue.keys.map((key) => {
      const elsewhere = leaves.find((leaf) => leaf.path.at(-1) === key)?.key;
      const hint = isRemoved(`${prefix}${key}`) ? REMOVED_HINT : hintFor(key, [...new Set(siblings)]);
      const known = elsewhere === undefined || hint.hint !== undefined ? hint : { hint: `did you mean ${elsewhere}?` };
      return {
        source: file.path,
        ...file.locate(path, key),
        key: `${prefix}${key}`,
        message: 'there is no such setting',
        ...known,
      };
    });
  }
  const at = { source: file.path, ...file.locate(path), key: path.join('.') };
  if (issue.code === 'invalid_type')
    return [{ ...at, message: `expected a section of settings; got ${kindName(getAt(file.value, issue.path))}` }];
  return [{ ...at, message: issue.message, ...hintOf(issue) }];
}

export function fileLayer(schema: SettingsSchema, file: SettingsFile): Layer {
  const value = withoutEmptySections(schema, file.value);
  const result = schema.safeParse(value);
  if (!result.success) {
    const problems = result.error.issues.flatMap((issue) => fileProblems(schema, file, issue));
    return { values: [], problems: problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0)) };
  }
  const values = leavesOf(schema).flatMap((leaf): SettingValue[] => {
    const set = getAt(value, leaf.path);
    if (set === undefined) return [];
    const { line, column } = file.locate(leaf.path);
    return [{ leaf, value: set, origin: `${file.path}:${line}:${column}` }];
  });
  return { values, problems: [] };
}

/** Parses the text of a value by the kind of its setting and validates it. */
function textLayer(leaf: Leaf, text: string, origin: string): Layer {
  const value = fromText(leaf.info.kind, text);
  const result = (leaf.schema as z.ZodType).safeParse(value);
  if (result.success) return { values: [{ leaf, value, origin }], problems: [] };
  return {
    values: [],
    problems: result.error.issues.map((issue) => ({
      source: origin,
      key: leaf.key,
      message: issue.message,
      ...hintOf(issue),
    })),
  };
}

function join(layers: readonly Layer[]): Layer {
  return { values: layers.flatMap(({ values }) => values), problems: layers.flatMap(({ problems }) => problems) };
}

export function environmentLayer(schema: SettingsSchema, env: Environment): Layer {
  const byName = new Map(leavesOf(schema).map((leaf) => [environmentName(leaf.key), leaf]));
  const isSettingVariable = (name: string): boolean =>
    name.startsWith('RINGFENCE_') && !name.startsWith(TEST_PREFIX) && !NOT_SETTINGS.has(name);
  const settingVariables = Object.entries(env).filter(([name]) => isSettingVariable(name));
  return join(
    settingVariables.map(([name, text]): Layer => {
      const leaf = byName.get(name);
      if (leaf !== undefined) return textLayer(leaf, text ?? '', name);
      return {
        values: [],
        problems: [
          {
            source: 'environment',
            key: name,
            message: 'there is no such setting',
            ...hintFor(name, [...byName.keys()]),
          },
        ],
      };
    }),
  );
}

export function flagLayer(schema: SettingsSchema, flags: readonly Flag[]): Layer {
  const byKey = new Map(leavesOf(schema).map((leaf) => [leaf.key, leaf]));
  return join(
    flags.map(({ flag, key, value }): Layer => {
      const leaf = byKey.get(key);
      if (leaf !== undefined) return textLayer(leaf, value, flag);
      return {
        values: [],
        problems: [{ source: flag, key, message: 'there is no such setting', ...hintFor(key, [...byKey.keys()]) }],
      };
    }),
  );
}
