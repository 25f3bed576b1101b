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
import { optionalValuesOf } from './optional-values.ts';
import { BootMemories } from './state/memories.ts';
import { WANTED_FORMS, wantsOf } from './wants.ts';

export type Rules = RuleSet<EventView>;

/**
 * Events that the sensor filters by path: opens that only read, and changes of files that give no privileges. The
 * sensor sends them if a rule can match them, and it sends all other opens and changes.
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

/** Returns the rules after files changed. A file with errors keeps its former version in force; errors are logged. */
export function reloadRules(previous: Rules, sources: readonly RuleSource[], log?: Log): Rules {
  const before = new Map(previous.options.sources.map(({ name, text }) => [name, text]));
  const now = new Map(sources.map(({ name, text }) => [name, text]));
  const gone = [...before.keys()].filter((name) => !now.has(name)).map((name) => ({ name, text: null }));
  const changed: ChangedSource[] = [...gone, ...sources.filter(({ name, text }) => before.get(name) !== text)];
  if (changed.length === 0) return previous;
  const { set, diagnostics, refused } = updateRules(previous, changed);
  logDiagnostics(diagnostics, sources, log);
  const files = changed.map(({ name }) => name);
  if (refused.length > 0) log?.error({ refused }, 'rule files have errors; their former versions stay in force');
  log?.info({ files, rules: set.rules.length }, 'rules were reloaded');
  return set;
}

/** Returns the files whose current text is not in force, because of errors in them or in files that need them. */
export function refusedFiles(rules: Rules, sources: readonly RuleSource[]): string[] {
  const inForce = new Map(rules.options.sources.map(({ name, text }) => [name, text]));
  return sources.filter(({ name, text }) => inForce.get(name) !== text).map(({ name }) => name);
}

/** A rule with an error is left out; with a warning it stays in force. */
export function logDiagnostics(diagnostics: readonly Diagnostic[], sources: readonly RuleSource[], log?: Log): void {
  const texts = new Map(sources.map(({ name, text }) => [name, text]));
  for (const diagnostic of diagnostics) {
    const { severity, code, file, line } = diagnostic;
    const shown = render(diagnostic, texts.get(file) ?? '');
    if (severity === 'error') log?.error({ code, file, line }, shown);
    else log?.warn({ code, file, line }, shown);
  }
}

/**
 * Returns the events that the sensor must send for these rules and for chains; unfiltered kinds are always sent. The
 * version is a hash of the interest, so the same rules have the same version.
 */
export function interestOf(rules: Rules, { localPeers = false }: Pick<DetectorOptions, 'localPeers'> = {}): Interest {
  const [opens, changes] = rules.interest.paths;
  const { tests, forms } = rules.interest;
  const fields = new Set(
    tests.flatMap(({ operand, comparedWith }) => [operand.field.name, comparedWith?.field.name ?? '']),
  );
  const wants = wantsOf(forms, localPeers, fields);
  const asked = { ...pathsOf(opens, changes), ...optionalValuesOf(rules.interest), wants };
  const digest = createHash('sha256').update(JSON.stringify(asked)).digest();
  return { version: digest.readUIntBE(0, 6), ...asked };
}

type Paths = Omit<Interest, 'version' | 'wants' | 'rawPaths' | 'environment'>;
type PathsOf = Rules['interest']['paths'][number];

const EVERY: Paths = {
  openPathPrefixes: null,
  openNames: [],
  openExecutables: [],
  changePathPrefixes: [],
  changeNames: [],
  openPaths: [],
};

/** Paths and names that opens ask for are sent for changes as well. */
function pathsOf(opens: PathsOf | undefined, changes: PathsOf | undefined): Paths {
  if (opens === undefined || changes === undefined) return EVERY;
  const openPaths = opens.files;
  if (opens.unbounded.length > 0 || changes.unbounded.length > 0) return { ...EVERY, openPaths };
  return {
    openPaths,
    openPathPrefixes: opens.prefixes,
    openNames: opens.names,
    openExecutables: [...new Set([...opens.executables, ...changes.executables])].sort(),
    changePathPrefixes: changes.prefixes.filter((prefix) => !opens.prefixes.some((wider) => prefix.startsWith(wider))),
    changeNames: changes.names.filter((name) => !opens.names.includes(name)),
  };
}
