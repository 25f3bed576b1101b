import assert from 'node:assert/strict';
import { describe, suite, test } from 'node:test';
import { EcsFlat } from '@elastic/ecs';
import { elasticsearchMissing, sharedElasticsearch } from '@ringfence/dev-servers';
import { catalogue } from '@ringfence/fields';
import { contentFor } from '../src/index.ts';
import { storeAttack } from './attack.ts';
import { mappedFields } from './mapped-fields.ts';

interface EcsField {
  readonly type: string;
  /** `array`: the field has several values */
  readonly normalize: readonly string[];
  readonly allowed_values?: readonly { readonly name: string }[];
}

const ecs: ReadonlyMap<string, EcsField> = new Map(Object.entries(EcsFlat as Readonly<Record<string, EcsField>>));
const FAMILIES: Readonly<Record<string, string>> = {
  wildcard: 'keyword',
  constant_keyword: 'keyword',
  match_only_text: 'text',
  long: 'number',
  float: 'number',
  double: 'number',
  scaled_float: 'number',
  flattened: 'object',
  nested: 'object',
};
const familyOf = (type: string): string => FAMILIES[type] ?? type;
const own: ReadonlySet<string> = new Set(catalogue.fields.map(({ name }) => name));

/** An incident is about several rules and processes, where ECS knows the one of an event. */
const SEVERAL_IN_INCIDENTS: ReadonlySet<string> = new Set([
  'rule.name',
  'process.entity_id',
  'process.executable',
  'trace.id',
  'user.name',
]);
/** Fields of ours with a name in a set of ECS; decision 55 has the reason. */
const BESIDE_ECS: ReadonlySet<string> = new Set(['host.boot.id', 'container.cgroup']);
/** Groups of fields in which ECS has objects below the field. */
const PARENTS: ReadonlySet<string> = new Set([...ecs.keys()].flatMap((name) => parentsOf(name)));

function parentsOf(name: string): string[] {
  const parts = name.split('.');
  return parts.slice(1).map((_, i) => parts.slice(0, i + 1).join('.'));
}

describe('templates', () => {
  test('map every field that ECS 9 has with the type of ECS, and no object of ECS as a value', () => {
    for (const [key, type] of mappedFields()) {
      const [, field = ''] = key.split(' ');
      const known = ecs.get(field);
      if (known !== undefined) assert.equal(familyOf(type), familyOf(known.type), key);
      else assert.ok(!PARENTS.has(field), `${key} is an object in ECS`);
    }
  });
});

/** Returns why a value does not fit ECS; undefined if it does. */
function misfit(field: string, value: unknown, isIncident: boolean): string | undefined {
  const known = ecs.get(field);
  if (known === undefined) {
    const isOwn = field.startsWith('ringfence.') || own.has(field) || BESIDE_ECS.has(field);
    return isOwn ? undefined : 'is neither in ECS nor ours';
  }
  const several = known.normalize.includes('array') || (isIncident && SEVERAL_IN_INCIDENTS.has(field));
  if (Array.isArray(value) && !several) return 'has several values';
  const values: unknown[] = Array.isArray(value) ? value : [value];
  const allowed = known.allowed_values?.map(({ name }) => name);
  if (allowed !== undefined && !values.every((one) => allowed.includes(String(one)))) return `is ${values.join()}`;
  return values.every((one) => fits(known.type, one)) ? undefined : `${JSON.stringify(value)} is no ${known.type}`;
}

function fits(type: string, value: unknown): boolean {
  switch (familyOf(type)) {
    case 'number':
      return typeof value === 'number' && (type !== 'long' || Number.isSafeInteger(value));
    case 'date':
      return !Number.isNaN(Date.parse(String(value)));
    case 'boolean':
      return typeof value === 'boolean';
    case 'object':
      return typeof value === 'object';
    default:
      return typeof value === 'string' || typeof value === 'number';
  }
}

suite('documents of a recorded attack', { skip: elasticsearchMissing() ?? false }, () => {
  test('fit ECS 9 field by field', async () => {
    const prefix = `ecs${process.pid}`;
    const { url } = await sharedElasticsearch();
    await storeAttack({ url, prefix });
    const misfits = new Set<string>();
    for (const { source, pattern } of contentFor(prefix).dataViews) {
      if (source === 'audit' || source === 'heads') continue;
      await fetch(`${url}/${pattern}/_refresh`, { method: 'POST' });
      const response = await fetch(`${url}/${pattern}/_search?size=1000`);
      const { hits } = (await response.json()) as { hits: { hits: { _source: Readonly<Record<string, unknown>> }[] } };
      assert.ok(hits.hits.length > 0, source);
      for (const { _source } of hits.hits)
        for (const [field, value] of Object.entries(_source)) {
          const reason = misfit(field, value, source === 'incidents');
          if (reason !== undefined) misfits.add(`${source}: ${field} ${reason}`);
        }
    }
    assert.deepEqual([...misfits], []);
  });
});
