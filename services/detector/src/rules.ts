import { createHash } from 'node:crypto';
import type { Log } from '@ringfence/base';
import { catalogue, eventKinds } from '@ringfence/fields';
import type { Interest } from '@ringfence/interest';
import {
  type ChangedSource,
  compileRules,
  type Diagnostic,
  type FilteredEvents,
  type Profile,
  type RuleSet,
  type RuleSource,
  render,
  updateRules,
} from '@ringfence/rules';
import type { EventView } from '@ringfence/wire';
import type { DetectorOptions } from './config.ts';
import { BootMemories } from './state/memories.ts';
import { WANTED_FORMS, wantsOf } from './wants.ts';

export type Rules = RuleSet<EventView>;

/**
 * Opens that only read, and changes of files but for those that give privileges: the sensor sends those that some rule can match, and all others.
 */
const FILTERED: readonly FilteredEvents[] = [
  {
    kind: 'open',
    fields: ['file.path'],
    executable: 'process.executable',
    given: {
      'file.open.read': true,
      'file.open.write': false,
      'file.open.create': false,
      'file.open.truncate': false,
    },
  },
  {
    kind: 'file_change',
    fields: ['file.path', 'file.target_path', 'fs.path.source', 'fs.path.target'],
    executable: 'process.executable',
    given: { 'file.setid': false },
    except: {
      'event.action': ['splice'],
      'evt.type': ['splice'],
      'file.type': ['character', 'block'],
      'file.xattr': ['security.capability'],
    },
  },
];

export function compileDetectorRules(sources: readonly RuleSource[], profile: Profile = 'recommended'): Rules {
  return compileRules({
    sources,
    profile,
    catalogue,
    kinds: eventKinds,
    memory: new BootMemories(),
    filtered: FILTERED,
    forms: WANTED_FORMS,
  });
}

/** The set after the files changed. A broken file keeps its former version in force; `log` is told, source line, caret and all. */
export function reloadRules(previous: Rules, sources: readonly RuleSource[], log?: Log): Rules {
  const before = new Map(previous.options.sources.map(({ name, text }) => [name, text]));
  const now = new Map(sources.map(({ name, text }) => [name, text]));
  const gone = [...before.keys()].filter((name) => !now.has(name)).map((name) => ({ name, text: null }));
  const changed: ChangedSource[] = [...gone, ...sources.filter(({ name, text }) => before.get(name) !== text)];
  if (changed.length === 0) return previous;
  const { set, diagnostics, refused } = updateRules(previous, changed);
  logDiagnostics(diagnostics, sources, log);
  const files = changed.map(({ name }) => name);
  if (refused.length > 0) log?.error({ refused }, 'rule files have errors: their former versions stay in force');
  log?.info({ files, rules: set.rules.length }, 'rules were reloaded');
  return set;
}

/** Files that are not in force as they are: they have errors, or break others. */
export function refusedFiles(rules: Rules, sources: readonly RuleSource[]): string[] {
  const inForce = new Map(rules.options.sources.map(({ name, text }) => [name, text]));
  return sources.filter(({ name, text }) => inForce.get(name) !== text).map(({ name }) => name);
}

/** Errors leave a rule out; warnings leave it in force. */
export function logDiagnostics(diagnostics: readonly Diagnostic[], sources: readonly RuleSource[], log?: Log): void {
  const texts = new Map(sources.map(({ name, text }) => [name, text]));
  for (const one of diagnostics) {
    const shown = render(one, texts.get(one.file) ?? '');
    if (one.severity === 'error') log?.error({ code: one.code, file: one.file, line: one.line }, shown);
    else log?.warn({ code: one.code, file: one.file, line: one.line }, shown);
  }
}

/**
 * What the kernel has to send for these rules, and for chains; what is not filtered comes anyway. The version is a hash of it: the same rules, the same number.
 */
export function interestOf(rules: Rules, { localPeers = false }: Pick<DetectorOptions, 'localPeers'> = {}): Interest {
  const [opens, changes] = rules.interest.paths;
  const wants = wantsOf(rules.interest.forms, localPeers, rules.interest.fields);
  const asked = { ...pathsOf(opens, changes), wants };
  const digest = createHash('sha256').update(JSON.stringify(asked)).digest();
  return { version: digest.readUIntBE(0, 6), ...asked };
}

type Paths = Omit<Interest, 'version' | 'wants'>;
type PathsOf = Rules['interest']['paths'][number];

const EVERY: Paths = {
  openPathPrefixes: null,
  openNames: [],
  openExecutables: [],
  changePathPrefixes: [],
  changeNames: [],
};

/** What is asked of opens is sent of changes, too. */
function pathsOf(opens: PathsOf | undefined, changes: PathsOf | undefined): Paths {
  if (opens === undefined || changes === undefined) return EVERY;
  if (opens.unbounded.length > 0 || changes.unbounded.length > 0) return EVERY;
  return {
    openPathPrefixes: opens.prefixes,
    openNames: opens.names,
    openExecutables: [...new Set([...opens.executables, ...changes.executables])].sort(),
    changePathPrefixes: changes.prefixes.filter((one) => !opens.prefixes.some((wider) => one.startsWith(wider))),
    changeNames: changes.names.filter((one) => !opens.names.includes(one)),
  };
}
