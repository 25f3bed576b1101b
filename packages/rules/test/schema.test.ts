import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { parse } from 'yaml';
import { ruleFileSchema } from '../src/language/file/json-schema.ts';

type Schema = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const typeOf = (value: unknown): string =>
  Array.isArray(value) ? 'array' : Number.isInteger(value) ? 'integer' : value === null ? 'null' : typeof value;

/** Returns the violations of a schema, for the JSON Schema keywords that the schemas of this project use. */
function violations(schema: Schema, value: unknown, path = ''): string[] {
  const { type, enum: allowed, pattern, oneOf, anyOf, not, maximum } = schema;
  const types = [type ?? []].flat();
  const actual = typeOf(value);
  if (types.length > 0 && !types.includes(actual) && !(actual === 'integer' && types.includes('number')))
    return [`${path}: ${actual} is not ${types.join()}`];
  const found: string[] = [];
  if (Array.isArray(allowed) && !allowed.includes(value))
    found.push(`${path}: '${value}' is none of ${allowed.join()}`);
  if (typeof pattern === 'string' && !new RegExp(pattern).test(String(value))) found.push(`${path}: ${value}`);
  if (Array.isArray(oneOf)) {
    const tried = (oneOf as Schema[]).map((option) => violations(option, value, path));
    if (tried.filter((option) => option.length === 0).length !== 1) found.push(...tried.flat());
  }
  if (Array.isArray(anyOf) && (anyOf as Schema[]).every((option) => violations(option, value, path).length > 0))
    found.push(`${path}: none of ${anyOf.length}`);
  if (typeof value === 'number' && value > ((maximum as number | undefined) ?? value)) found.push(`${path}: ${value}`);
  if (isObject(not) && violations(not, value).length === 0) found.push(`${path}: excluded by not`);
  if (Array.isArray(value)) found.push(...itemViolations(schema, value, path));
  if (isObject(value)) found.push(...objectViolations(schema, value, path));
  return found;
}

function itemViolations({ items }: Schema, value: readonly unknown[], path: string): string[] {
  if (!isObject(items)) return [];
  return value.flatMap((item, i) => violations(items, item, `${path}/${i}`));
}

function objectViolations(schema: Schema, value: Readonly<Record<string, unknown>>, path: string): string[] {
  const { required, properties, dependencies, additionalProperties } = schema;
  const found: string[] = [];
  for (const key of (required as string[] | undefined) ?? []) if (!(key in value)) found.push(`${path}: no ${key}`);
  for (const [key, needed] of Object.entries((dependencies as Record<string, string[]> | undefined) ?? {}))
    if (key in value)
      found.push(...needed.filter((name) => !(name in value)).map((name) => `${path}: ${key} without ${name}`));
  if (!isObject(properties)) return found;
  for (const [key, property] of Object.entries(value)) {
    const propertySchema = properties[key];
    if (isObject(propertySchema)) found.push(...violations(propertySchema, property, `${path}/${key}`));
    else if (additionalProperties === false) found.push(`${path}: ${key} is unknown`);
  }
  return found;
}

const folder = join(import.meta.dirname, '../../../rules');

test('all built-in rules are valid under the JSON Schema, including sequences and thresholds', () => {
  const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  const texts = files.map((name) => readFileSync(join(folder, name), 'utf8'));
  for (const word of ['sequence', 'threshold:', 'profile: hunt']) assert.match(texts.join(), new RegExp(word));
  for (const [i, text] of texts.entries())
    assert.deepEqual([files[i], ...violations(ruleFileSchema(), parse(text))], [files[i]]);
});

test('the JSON Schema accepts valid rules and refuses invalid ones', () => {
  const rule = { rule: 'r', condition: 'process.name = sh' };
  const isInvalid = (more: object): boolean => violations(ruleFileSchema(), [{ ...rule, ...more }]).length > 0;
  assert.equal(isInvalid({}), false);
  assert.equal(isInvalid({ first_seen: { by: 'user.name', within: '14d', learn: '1d' } }), false);
  assert.equal(isInvalid({ suppress: { by: ['user.name'], for: '10m' }, throttle: { alerts: 3, per: '1h' } }), false);
  for (const threshold of [
    { count: 1_000_000, by: 'user.name', within: '1h', window: 'tumbling' },
    { distinct: 'user.name', at_least: 1000, within: '10s' },
    { regular: 8, every: '2s', within: '1h' },
    { sum: 'source.bytes', at_least: 1_000_000_000, within: '1h' },
  ])
    assert.equal(isInvalid({ threshold }), false, JSON.stringify(threshold));
  for (const summary of [
    { count: 'events', below: 3, by: 'user.name', within: '1h' },
    { percentile: 95, of: 'source.bytes', above: 1.5, at_most: 9, within: '1h' },
  ])
    assert.equal(isInvalid({ summary }), false, JSON.stringify(summary));
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
    assert.ok(isInvalid(more), JSON.stringify(more));
});

test('the JSON Schema contains the keys and values of rules', () => {
  const schema = JSON.stringify(ruleFileSchema());
  for (const word of ['condition', 'at_least', 'techniques', 'emergency', 'kill'])
    assert.ok(schema.includes(`"${word}"`), word);
});
