import type { Document } from '@ringfence/ecs';
import { falcoDefinitions, fieldNamed } from '@ringfence/fields';
import { summaryOf } from '../../encode/summary.ts';
import { lineOf } from '../../encode/text.ts';
import type { ItemOf } from '../../sink.ts';

const VALUE_MAX_CHARS = 4000;
const OUTPUT_MAX_CHARS = 8000;
/** Falco shows this many characters of a container's id. */
const CONTAINER_ID_CHARS = 12;
const NAMES: ReadonlySet<string> = new Set(falcoDefinitions.flatMap(({ fields }) => fields.split(' ')));
/** Fields of a document that have no name of Falco in rules. */
const OWN: Readonly<Record<string, string>> = {
  'host.name': 'evt.hostname',
  'orchestrator.namespace': 'k8s.ns.name',
  'orchestrator.resource.name': 'k8s.pod.name',
};

/** One event as Falco prints it with `json_output`. */
export interface FalcoEvent {
  readonly uuid: string;
  readonly output: string;
  readonly priority: string;
  readonly rule: string;
  /** RFC 3339 */
  readonly time: string;
  readonly source: 'syscall';
  readonly hostname: string;
  readonly tags: readonly string[];
  readonly output_fields: Readonly<Record<string, string | number>>;
}

export function falcoEvent(item: ItemOf<'alert'>): FalcoEvent {
  const { id, at, document, record } = item;
  const { tactics, techniques } = summaryOf(item);
  const one = (field: string): string => String([document[field] ?? ''].flat()[0] ?? '');
  const all = (field: string): string[] => [document[field] ?? []].flat().map(String);
  const priority = `${record.priority[0]!.toUpperCase()}${record.priority.slice(1)}`;
  const time = one('@timestamp') || new Date(at / 1000).toISOString();
  return {
    uuid: id,
    output: `${time.slice(11).replace('Z', '')}: ${priority} ${lineOf(one('message'), OUTPUT_MAX_CHARS)}`,
    priority,
    rule: lineOf(one('rule.name'), VALUE_MAX_CHARS),
    time,
    source: 'syscall',
    hostname: one('host.name') || one('host.id'),
    tags: [...all('tags'), ...tactics.map((tactic) => `mitre_${tactic.replaceAll('-', '_')}`), ...techniques],
    output_fields: fieldsOf(document),
  };
}

/** The fields that Falco knows, by its names, and those that the rule names. */
function fieldsOf(document: Document): Record<string, string | number> {
  const fields: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(document)) {
    const falco = falcoNameOf(name);
    if (falco !== undefined && (typeof value === 'string' || typeof value === 'number')) fields[falco] = bounded(value);
  }
  for (const text of [document['ringfence.alert.fields'] ?? []].flat().map(String)) {
    const at = text.indexOf('=');
    const [name, value] = [text.slice(0, at), text.slice(at + 1)];
    const isNumber = fieldNamed(name)?.type === 'number' && Number.isFinite(Number(value));
    fields[falcoNameOf(name) ?? name] = isNumber ? Number(value) : bounded(value);
  }
  return { ...fields, ...containerFields(fields) };
}

const bounded = <T extends string | number>(value: T): T =>
  (typeof value === 'string' ? value.slice(0, VALUE_MAX_CHARS).toWellFormed() : value) as T;

/** Falco's own name of a field; undefined: Falco has no such field. */
function falcoNameOf(name: string): string | undefined {
  const plain = name.startsWith('falco.') ? name.slice('falco.'.length) : name;
  if (NAMES.has(plain)) return plain;
  return OWN[name] ?? fieldNamed(name)?.aliases?.find((alias) => NAMES.has(alias));
}

function containerFields({
  'container.id': id,
  'container.image': image,
}: Readonly<Record<string, string | number>>): Record<string, string> {
  if (typeof id !== 'string') return { 'container.id': 'host' };
  const [, repository = '', tag = ''] = /^(.*?)(?::([^/:@]+))?(?:@.*)?$/.exec(String(image ?? '')) ?? [];
  return {
    'container.id': id.slice(0, CONTAINER_ID_CHARS),
    ...(repository === '' ? {} : { 'container.image.repository': repository }),
    ...(tag === '' ? {} : { 'container.image.tag': tag }),
  };
}
