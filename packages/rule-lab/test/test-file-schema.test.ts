import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { testFileSchema } from '../src/index.ts';

const folder = join(import.meta.dirname, '../../../rules');
const validate = new Ajv({ allErrors: true, strict: false }).compile(testFileSchema());

test('all tests of the built-in rules are valid under the JSON Schema', () => {
  const files = readdirSync(folder).filter((name) => name.endsWith('.test.yaml'));
  assert.ok(files.length > 20);
  for (const file of files)
    assert.ok(validate(parse(readFileSync(join(folder, file), 'utf8'))), `${file}: ${JSON.stringify(validate.errors)}`);
});

test('the JSON Schema accepts valid tests and refuses invalid ones', () => {
  const isValid = (more: object): boolean =>
    validate({ rule: 'r', tests: [{ test: 't', events: '/bin/sh', expect: 'none', ...more }] });
  assert.ok(isValid({}));
  assert.ok(isValid({ events: [{ process: ['shell', { exec: 'id' }], 'event.action': 'exit' }] }));
  for (const more of [
    { expect: 'some' },
    { expect: { alert: 1 } },
    { events: { exec: 1 } },
    { events: { process: { exec: 'id' } } },
    { events: { agent: 'starts' } },
    { events: { events: [{ after: 'later' }] } },
    { event: '/bin/sh' },
  ])
    assert.ok(!isValid(more), JSON.stringify(more));
});
