import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { testFileSchema } from '@ringfence/rule-lab';
import { ruleFileSchema } from '@ringfence/rules';
import { parse } from 'yaml';

type Schema = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const typeOf = (value: unknown): string =>
  Array.isArray(value) ? 'array' : Number.isInteger(value) ? 'integer' : value === null ? 'null' : typeof value;

/** Returns the faults of a value by the keywords of JSON Schema that the product's schemas use. */
function faults(schema: Schema, value: unknown, at = '', definitions = schema['definitions']): string[] {
  const check = (part: Schema, inner: unknown, place = at): string[] => faults(part, inner, place, definitions);
  const referred = String(schema['$ref'] ?? '').replace('#/definitions/', '');
  if (referred !== '') return check((definitions as Record<string, Schema>)[referred] ?? {}, value);
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
    const tried = (oneOf as Schema[]).map((one) => check(one, value));
    if (tried.filter((one) => one.length === 0).length !== 1) found.push(...tried.flat());
  }
  if (Array.isArray(anyOf) && (anyOf as Schema[]).every((one) => check(one, value).length > 0))
    found.push(`${at}: none of ${anyOf.length}`);
  if (Array.isArray(value) && isObject(items))
    found.push(...value.flatMap((one, i) => check(items, one, `${at}/${i}`)));
  if (typeof value === 'number' && value > ((maximum as number | undefined) ?? value)) found.push(`${at}: ${value}`);
  if (isObject(not) && check(not, value).length === 0) found.push(`${at}: not together`);
  if (isObject(value)) {
    for (const key of (required as string[] | undefined) ?? []) if (!(key in value)) found.push(`${at}: no ${key}`);
    for (const [key, others] of Object.entries((schema['dependencies'] as Record<string, string[]> | undefined) ?? {}))
      if (key in value) for (const one of others) if (!(one in value)) found.push(`${at}: ${key} without ${one}`);
  }
  if (isObject(value) && isObject(properties)) {
    for (const [key, one] of Object.entries(value)) {
      if (isObject(properties[key])) found.push(...check(properties[key], one, `${at}/${key}`));
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

test('all tests of the built-in rules are as the schema for editors says', () => {
  const files = readdirSync(folder).filter((name) => name.endsWith('.test.yaml'));
  assert.ok(files.length > 20);
  const schema = testFileSchema();
  for (const file of files)
    assert.deepEqual([file, ...faults(schema, parse(readFileSync(join(folder, file), 'utf8')))], [file]);
});

test('what is wrong with a test is wrong by the schema', () => {
  const wrong = (test: object): boolean =>
    faults(testFileSchema(), { rule: 'r', tests: [{ test: 't', events: '/bin/sh', expect: 'none', ...test }] }).length >
    0;
  assert.equal(wrong({}), false);
  assert.equal(wrong({ events: [{ process: ['shell', { exec: 'id' }], 'event.action': 'exit' }] }), false);
  for (const more of [
    { expect: 'some' },
    { expect: { alert: 1 } },
    { events: { exec: 1 } },
    { events: { process: { exec: 'id' } } },
    { events: { agent: 'starts' } },
    { events: { events: [{ after: 'later' }] } },
    { event: '/bin/sh' },
  ])
    assert.ok(wrong(more), JSON.stringify(more));
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
