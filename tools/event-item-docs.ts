/**
 * Generates the tables of docs/EVENTS.md that list the tests of each reported item. Fails if a named test does not
 * exist.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { catalogue, eventKinds } from '@ringfence/fields';
import { KIND, type KindName } from '@ringfence/wire';
import { parse } from 'yaml';
import { cell, wrap } from './markdown.ts';

/** The test as `file: title`, or the reason why no test can exist or exists yet. */
type Proof = string | { readonly never: string } | { readonly missing: string };

interface EventItem {
  readonly item: string;
  /** Undefined if a command shows the item. */
  readonly event?: KindName;
  readonly shows: string;
  readonly succeeds: Proof;
  readonly fails: Proof;
  readonly guest?: boolean;
}

const root = dirname(import.meta.dirname);
const TITLE = /\b(?:test|it)\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1/g;

interface TestFile {
  /** Titles of its tests. */
  readonly titles: ReadonlySet<string>;
  /** Whether the file runs only in a guest. */
  readonly guest: boolean;
}

const files = new Map<string, TestFile>();

function testFile(path: string): TestFile {
  const cached = files.get(path);
  if (cached !== undefined) return cached;
  const absolutePath = join(root, path);
  const text = existsSync(absolutePath) ? readFileSync(absolutePath, 'utf8') : '';
  const titles = [...text.matchAll(TITLE)].map(([, , title = '']) => title.replaceAll(/\\(.)/g, '$1'));
  const file = { titles: new Set(titles), guest: path.endsWith('.guest.ts') || text.includes('skipOutsideGuest') };
  files.set(path, file);
  return file;
}

const ITEMS = 'tools/event-items.yaml';
const families = parse(readFileSync(join(root, ITEMS), 'utf8')) as Readonly<Record<string, readonly EventItem[]>>;

const actionField = catalogue.fields.find(({ name }) => name === 'event.action');

/** Returns the actions that events of a kind can have; empty if the kind has no actions. */
function actionsOf(kind: KindName): readonly string[] {
  const name = eventKinds.names[KIND[kind]] ?? '';
  const constant = actionField?.constants?.[name];
  return constant === undefined ? (actionField?.values?.[name] ?? []) : [String(constant)];
}

const fieldNames = new Set(catalogue.fields.map(({ name }) => name));

/** Returns the problems of an item: tests, actions and fields that do not exist. */
function problemsOf({ item, event, shows, succeeds, fails }: EventItem): string[] {
  const problems = [succeeds, fails].flatMap((proof) => {
    if (typeof proof !== 'string') return [];
    const { path, title } = testOf(proof);
    return testFile(path).titles.has(title) ? [] : [`${item}: ${path} has no test "${title}"`];
  });
  if (event === undefined || actionsOf(event).includes(shows)) return problems;
  const unknown = shows.split(', ').filter((field) => !fieldNames.has(field));
  return [...problems, ...unknown.map((field) => `${item}: ${field} is neither an action of ${event} nor a field`)];
}

/** Parses `exec: a title` or `path/to/x.test.ts: a title`. */
function testOf(proof: string): { path: string; title: string } {
  const [name = ''] = proof.split(': ', 1);
  const path = name.includes('/') ? name : `test/kernel/sensor/${name}.test.ts`;
  return { path, title: proof.slice(name.length + 2) };
}

function proofText(proof: Proof): string {
  if (typeof proof !== 'string') return 'never' in proof ? `— ${proof.never}` : `**none**: ${proof.missing}`;
  const { path, title } = testOf(proof);
  const name = path.slice(path.lastIndexOf('/') + 1).replace(/\.(test|guest)\.ts$/, '');
  return `[${name}](../${path})${testFile(path).guest ? ' (guest)' : ''}: ${cell(title)}`;
}

const row = ({ item, event, shows, succeeds, fails, guest }: EventItem): string =>
  `| ${item}${guest === true ? ' (guest)' : ''} | ${event ?? ''} | ${shows.includes('`') ? shows : `\`${shows}\``} | ${proofText(succeeds)} | ${proofText(fails)} |`;

/** Returns the tables. Throws if an item names a test, an action or a field that does not exist. */
export function eventItemDocs(): string {
  const problems = Object.values(families).flat().flatMap(problemsOf);
  if (problems.length > 0) throw new Error(`${ITEMS}:\n${problems.join('\n')}`);
  return `${[
    '# Tests of reported items',
    wrap(
      'Each row is an item that Ringfence reports, with its event, the `event.action` or the fields that show it, and the tests that provoke a success and a failure. `—`: no such event can exist, for the given reason. **none**: the item is not reported or not tested, for the given reason. (guest): the tests of the item, or the test after the mark, run on a stock kernel in a guest: `npm run test:kernels`.',
    ),
    ...Object.entries(families).map(([family, items]) =>
      [
        `## Family: ${family}`,
        '',
        '| item | event | shown by | success | failure |',
        '|---|---|---|---|---|',
        ...items.map(row),
      ].join('\n'),
    ),
  ].join('\n\n')}\n`;
}
