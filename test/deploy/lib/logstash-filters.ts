import { hash } from 'node:crypto';
import type { Grok } from '@ringfence/dev-servers';
import type { Choice, Condition, Plugin, Setting, Statement } from './logstash-file.ts';

export type Fields = Record<string, unknown>;

/**
 * Runs the filters of a pipeline on an event, after the published source of Logstash's plugins: Logstash itself can't
 * be had here. Groks are Elasticsearch's. Of dates, only those of shippers are read, which have one format.
 */
export async function runFilters(filters: readonly Statement[], event: Fields, grok: Grok): Promise<Fields[]> {
  let events = [event];
  for (const statement of filters) {
    const next: Fields[] = [];
    for (const one of events) next.push(...(await runStatement(statement, one, grok)));
    events = next;
  }
  return events;
}

async function runStatement(statement: Statement, event: Fields, grok: Grok): Promise<Fields[]> {
  if ('arms' in statement) return await runFilters(armFor(statement, event), event, grok);
  const { name } = statement;
  if (name === 'drop') return [];
  if (name === 'split') return linesOf(event);
  if (name === 'mutate') mutate(statement, event);
  else if (name === 'json') readJson(statement, event);
  else if (name === 'grok') await runGrok(statement, event, grok);
  else if (name === 'date') readDate(statement, event);
  else if (name === 'fingerprint') setFingerprint(statement, event);
  else throw new Error(`the filter ${name} is not known here`);
  return [event];
}

function armFor({ arms }: Choice, event: Fields): readonly Statement[] {
  return arms.find(({ condition }) => condition === null || holds(condition, event))?.body ?? [];
}

function holds({ negated, field, operator, values }: Condition, event: Fields): boolean {
  const value = get(event, field);
  if (operator === '') return (value !== undefined) !== negated;
  if (operator !== '=~') return values.includes(value as string);
  const pattern = (values[0] ?? '').replaceAll('\\A', '^').replaceAll('\\z', '$');
  return typeof value === 'string' && new RegExp(pattern).test(value);
}

const linesOf = (event: Fields): Fields[] =>
  String(event['message'])
    .split('\n')
    .map((message) => ({ ...structuredClone(event), message }));

const entriesOf = (setting: Setting | undefined): [string, string | readonly string[]][] =>
  setting instanceof Map ? [...setting] : [];

/** The order is the plugin's own, whatever the file's. */
function mutate({ settings }: Plugin, event: Fields): void {
  for (const [from, to] of entriesOf(settings.get('rename'))) {
    const value = get(event, from);
    if (value === undefined) continue;
    remove(event, from);
    set(event, String(to), value);
  }
  for (const [field, value] of entriesOf(settings.get('replace'))) set(event, field, value);
  for (const [field, type] of entriesOf(settings.get('convert'))) {
    const value = get(event, field);
    if (value !== undefined) set(event, field, type === 'integer' ? Number(value) : String(value));
  }
  const [field = '', needle = '', replacement = ''] = (settings.get('gsub') ?? []) as readonly string[];
  const text = get(event, field);
  if (typeof text === 'string') set(event, field, text.replace(new RegExp(needle.replaceAll('\\z', '$')), replacement));
  for (const [from, to] of entriesOf(settings.get('copy'))) {
    const value = get(event, from);
    if (value !== undefined) set(event, String(to), value);
  }
  decorate(settings, event);
}

function decorate(settings: Plugin['settings'], event: Fields): void {
  for (const [field, value] of entriesOf(settings.get('add_field')))
    add(
      event,
      field,
      String(value).replace(/%\{([^}]+)\}/g, (_, name: string) => String(get(event, name))),
    );
  for (const field of [settings.get('remove_field') ?? []].flat() as string[]) remove(event, field);
}

function readJson({ settings }: Plugin, event: Fields): void {
  const source = get(event, String(settings.get('source')));
  try {
    if (source !== undefined) set(event, String(settings.get('target')), JSON.parse(String(source)));
  } catch {
    add(event, 'tags', '_jsonparsefailure');
  }
}

function readDate({ settings }: Plugin, event: Fields): void {
  const [field = '', ...formats] = settings.get('match') as readonly string[];
  const value = get(event, field);
  if (formats.length === 1 && typeof value === 'string' && !Number.isNaN(Date.parse(value)))
    event['@timestamp'] = value;
}

function setFingerprint({ settings }: Plugin, event: Fields): void {
  const sources = [...(settings.get('source') as readonly string[])].sort();
  const text = sources.map((field) => `|${field}|${get(event, field) ?? ''}`).join('');
  set(event, String(settings.get('target')), hash('sha256', `${text}|`));
}

async function runGrok({ settings }: Plugin, event: Fields, grok: Grok): Promise<void> {
  const overwritten = [settings.get('overwrite') ?? []].flat();
  for (const [field, expressions] of entriesOf(settings.get('match')))
    for (const expression of [expressions].flat()) {
      const captures = await grok.match(expression, String(get(event, field) ?? ''));
      if (captures === null) continue;
      for (const [name, value] of Object.entries(captures))
        if (overwritten.includes(name)) set(event, name, value);
        else if (value !== '') add(event, name, value);
      decorate(settings, event);
      return;
    }
  for (const tag of [settings.get('tag_on_failure') ?? '_grokparsefailure'].flat()) add(event, 'tags', tag);
}

const pathOf = (reference: string): string[] =>
  reference.startsWith('[') ? reference.slice(1, -1).split('][') : [reference];

export function get(event: Fields, reference: string): unknown {
  let value: unknown = event;
  for (const name of pathOf(reference)) value = (value as Fields | undefined)?.[name];
  return value;
}

function set(event: Fields, reference: string, value: unknown): void {
  const path = pathOf(reference);
  let parent = event;
  for (const name of path.slice(0, -1)) {
    parent[name] ??= {};
    parent = parent[name] as Fields;
  }
  parent[path.at(-1) ?? ''] = value;
}

/** Like Logstash, makes a list of a field that is there already. */
function add(event: Fields, reference: string, value: unknown): void {
  const before = get(event, reference);
  set(event, reference, before === undefined ? value : [before, value].flat());
}

function remove(event: Fields, reference: string): void {
  const path = pathOf(reference);
  const parent = path.length === 1 ? event : get(event, `[${path.slice(0, -1).join('][')}]`);
  delete (parent as Fields | undefined)?.[path.at(-1) ?? ''];
}
