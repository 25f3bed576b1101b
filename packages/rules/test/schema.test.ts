import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { ruleFileSchema } from '../src/language/file/json-schema.ts';

const ajv = new Ajv({ allErrors: true, strict: false });
const validate = ajv.compile(ruleFileSchema());

/** Returns the violations of the schema of rule files. */
const violations = (value: unknown): string[] =>
  validate(value) ? [] : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath}: ${message}`);

const folder = join(import.meta.dirname, '../../../rules');

test('all built-in rules are valid under the JSON Schema, including sequences and thresholds', () => {
  const files = readdirSync(folder).filter((name) => /(?<!\.test)\.yaml$/.test(name));
  const texts = files.map((name) => readFileSync(join(folder, name), 'utf8'));
  for (const word of ['sequence', 'threshold:', 'profile: hunt']) assert.match(texts.join(), new RegExp(word));
  for (const [i, text] of texts.entries()) assert.deepEqual([files[i], ...violations(parse(text))], [files[i]]);
});

test('the JSON Schema accepts valid rules and refuses invalid ones', () => {
  const rule = { rule: 'r', condition: 'process.name = sh' };
  const isInvalid = (more: object): boolean => violations([{ ...rule, ...more }]).length > 0;
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
