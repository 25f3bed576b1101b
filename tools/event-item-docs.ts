/** The tables of docs/EVENTS.md with the test that provokes each event. Fails when an item names a test that doesn't exist. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { catalogue, eventKinds, KIND, type KindName } from '../packages/schema/src/index.ts';
import { paragraph } from './prose.ts';

/** The `file: title` of a test; or why there can be none, or is none yet. */
type Proof = string | { readonly never: string } | { readonly missing: string };

interface EventItem {
  readonly item: string;
  /** undefined: a command tells it */
  readonly event?: KindName;
  readonly shows: string;
  readonly succeeds: Proof;
  readonly fails: Proof;
  readonly guest?: boolean;
}

const root = dirname(import.meta.dirname);
const TITLE = /\b(?:test|it)\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1/g;

interface TestFile {
  /** of its tests, as the source has them */
  readonly titles: ReadonlySet<string>;
  /** it says of itself that it runs in a guest, and nowhere else */
  readonly guest: boolean;
}

const files = new Map<string, TestFile>();

function testFile(path: string): TestFile {
  const known = files.get(path);
  if (known !== undefined) return known;
  const whole = join(root, path);
  const text = existsSync(whole) ? readFileSync(whole, 'utf8') : '';
  const titles = [...text.matchAll(TITLE)].map(([, , title = '']) => title.replaceAll(/\\(.)/g, '$1'));
  const found = { titles: new Set(titles), guest: path.endsWith('.guest.ts') || text.includes('skipOutsideGuest') };
  files.set(path, found);
  return found;
}

const ITEMS = 'tools/event-items.yaml';
const families = parse(readFileSync(join(root, ITEMS), 'utf8')) as Readonly<Record<string, readonly EventItem[]>>;

const actionField = catalogue.fields.find(({ name }) => name === 'event.action');

/** The actions that events of a kind can have; none: the kind has no action of its own. */
function actionsOf(kind: KindName): readonly string[] {
  const name = eventKinds.names[KIND[kind]] ?? '';
  const constant = actionField?.constants?.[name];
  return constant === undefined ? (actionField?.values?.[name] ?? []) : [String(constant)];
}

const fieldNames = new Set(catalogue.fields.map(({ name }) => name));

/** What is wrong with an item; empty: nothing. */
function faultsOf({ item, event, shows, succeeds, fails }: EventItem): string[] {
  const faults = [succeeds, fails].flatMap((proof) => {
    if (typeof proof !== 'string') return [];
    const { path, title } = testOf(proof);
    return testFile(path).titles.has(title) ? [] : [`${item}: ${path} has no test "${title}"`];
  });
  if (event === undefined || actionsOf(event).includes(shows)) return faults;
  const unknown = shows.split(', ').filter((field) => !fieldNames.has(field));
  return [...faults, ...unknown.map((field) => `${item}: ${field} is no action of ${event} and no field`)];
}

/** `exec: a title` or `path/to/x.test.ts: a title` */
function testOf(proof: string): { path: string; title: string } {
  const [name = ''] = proof.split(': ', 1);
  const path = name.includes('/') ? name : `test/kernel/sensor/${name}.test.ts`;
  return { path, title: proof.slice(name.length + 2) };
}

const cell = (text: string): string => text.replaceAll('|', '\\|');

function proofText(proof: Proof): string {
  if (typeof proof !== 'string') return 'never' in proof ? `— ${proof.never}` : `**none**: ${proof.missing}`;
  const { path, title } = testOf(proof);
  const name = path.slice(path.lastIndexOf('/') + 1).replace(/\.(test|guest)\.ts$/, '');
  return `[${name}](../${path})${testFile(path).guest ? ' (guest)' : ''}: ${cell(title)}`;
}

const row = ({ item, event, shows, succeeds, fails, guest }: EventItem): string =>
  `| ${item}${guest === true ? ' (guest)' : ''} | ${event ?? ''} | ${shows.includes('`') ? shows : `\`${shows}\``} | ${proofText(succeeds)} | ${proofText(fails)} |`;

/** Throws when an item names a test, an action or a field that there is not. */
export function eventItemDocs(): string {
  const faults = Object.values(families).flat().flatMap(faultsOf);
  if (faults.length > 0) throw new Error(`${ITEMS}:\n${faults.join('\n')}`);
  return `${[
    '# Tests of every event',
    paragraph(
      'Every reported action, its event with its `event.action` or fields, and the tests that provoke it: one where it succeeds and one where it fails. `—`: there can be no such event, with the reason. **none**: it is not reported, or no test provokes it. (guest): all tests of the item, or the one that is marked, run on a stock kernel in a guest: `npm run test:kernels`.',
    ),
    ...Object.entries(families).map(([family, items]) =>
      [
        `## Family: ${family}`,
        '',
        '| action | event | appears as | succeeds | fails |',
        '|---|---|---|---|---|',
        ...items.map(row),
      ].join('\n'),
    ),
  ].join('\n\n')}\n`;
}
