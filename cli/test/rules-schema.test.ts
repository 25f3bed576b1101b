import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { ruleFileSchema } from '@ringfence/rules';
import { parse } from 'yaml';

type Schema = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const typeOf = (value: unknown): string =>
  Array.isArray(value) ? 'array' : Number.isInteger(value) ? 'integer' : value === null ? 'null' : typeof value;

/** What is wrong with a value, by the words of JSON Schema that our schemas have. */
function faults(schema: Schema, value: unknown, at = ''): string[] {
  const found: string[] = [];
  const {
    type,
    enum: few,
    pattern,
    oneOf,
    anyOf,
    items,
    required,
    properties,
    additionalProperties,
    not,
    maximum,
  } = schema;
  const types = [type ?? []].flat();
  const own = typeOf(value);
  if (types.length > 0 && !types.includes(own) && !(own === 'integer' && types.includes('number')))
    return [`${at}: ${own} is no ${types.join()}`];
  if (Array.isArray(few) && !few.includes(value)) found.push(`${at}: '${value}' is none of ${few.join()}`);
  if (typeof pattern === 'string' && !new RegExp(pattern).test(String(value))) found.push(`${at}: ${value}`);
  if (Array.isArray(oneOf)) {
    const tried = (oneOf as Schema[]).map((one) => faults(one, value, at));
    if (tried.filter((one) => one.length === 0).length !== 1) found.push(...tried.flat());
  }
  if (Array.isArray(anyOf) && (anyOf as Schema[]).every((one) => faults(one, value, at).length > 0))
    found.push(`${at}: none of ${anyOf.length}`);
  if (Array.isArray(value) && isObject(items))
    found.push(...value.flatMap((one, i) => faults(items, one, `${at}/${i}`)));
  if (typeof value === 'number' && value > ((maximum as number | undefined) ?? value)) found.push(`${at}: ${value}`);
  if (isObject(not) && faults(not, value).length === 0) found.push(`${at}: not together`);
  if (isObject(value)) {
    for (const key of (required as string[] | undefined) ?? []) if (!(key in value)) found.push(`${at}: no ${key}`);
    for (const [key, others] of Object.entries((schema['dependencies'] as Record<string, string[]> | undefined) ?? {}))
      if (key in value) for (const one of others) if (!(one in value)) found.push(`${at}: ${key} without ${one}`);
  }
  if (isObject(value) && isObject(properties)) {
    for (const [key, one] of Object.entries(value)) {
      if (isObject(properties[key])) found.push(...faults(properties[key], one, `${at}/${key}`));
      else if (additionalProperties === false) found.push(`${at}: ${key} is unknown`);
    }
  }
  return found;
}

const folder = join(import.meta.dirname, '../../rules');

test('all built-in rules are as the schema for editors says, sequences and thresholds among them', () => {
  const files = readdirSync(folder).filter((name) => /(?<!\.test)\.yaml$/.test(name));
  const texts = files.map((name) => readFileSync(join(folder, name), 'utf8'));
  for (const word of ['sequence', 'threshold:', 'profile: hunt']) assert.match(texts.join(), new RegExp(word));
  for (const [i, text] of texts.entries())
    assert.deepEqual([files[i], ...faults(ruleFileSchema(), parse(text))], [files[i]]);
});

test('what is wrong with a rule is wrong by the schema', () => {
  const rule = { rule: 'r', condition: 'process.name = sh' };
  const wrong = (more: object): boolean => faults(ruleFileSchema(), [{ ...rule, ...more }]).length > 0;
  assert.equal(wrong({}), false);
  assert.equal(wrong({ first_seen: { by: 'user.name', within: '14d', learn: '1d' } }), false);
  assert.equal(wrong({ suppress: { by: ['user.name'], for: '10m' }, throttle: { alerts: 3, per: '1h' } }), false);
  for (const threshold of [
    { count: 1_000_000, by: 'user.name', within: '1h', window: 'tumbling' },
    { distinct: 'user.name', at_least: 1000, within: '10s' },
    { regular: 8, every: '2s', within: '1h' },
    { sum: 'source.bytes', at_least: 1_000_000_000, within: '1h' },
  ])
    assert.equal(wrong({ threshold }), false, JSON.stringify(threshold));
  for (const summary of [
    { count: 'events', below: 3, by: 'user.name', within: '1h' },
    { percentile: 95, of: 'source.bytes', above: 1.5, at_most: 9, within: '1h' },
  ])
    assert.equal(wrong({ summary }), false, JSON.stringify(summary));
  for (const more of [
    { threshold: { count: 1_000_001, within: '1s' } },
    { threshold: { within: '1s' } },
    { threshold: { count: 3, distinct: 'user.name', at_least: 3, within: '1s' } },
    { threshold: { count: 3, at_least: 3, within: '1s' } },
    { threshold: { distinct: 'user.name', within: '1s' } },
    { threshold: { regular: 3, within: '1s' } },
    { threshold: { sum: 'source.bytes', within: '1s' } },
    { summary: { below: 3, within: '1s' } },
    { summary: { count: 'events', within: '1s' } },
    { summary: { count: 'user.name', below: 3, within: '1s' } },
    { summary: { percentile: 95, below: 3, within: '1s' } },
    { summary: { count: 'events', sum: 'source.bytes', below: 3, within: '1s' } },
    { summary: { count: 'events', below: 3, within: '1s' }, threshold: { count: 3, within: '1s' } },
    { threshold: { count: 3, within: '1s' }, first_seen: { by: 'user.name', within: '14d' } },
    { priority: 'loud' },
    { conditon: 'x' },
    { suppress: { by: ['user.name'] } },
    { throttle: { alerts: 3, per: 'often' } },
    { threshold: { count: 3 } },
    { first_seen: { by: ['user.name'] } },
    { profile: 'all' },
    { enabled: 'yes' },
  ])
    assert.ok(wrong(more), JSON.stringify(more));
});
