import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { createTestLineage } from '@ringfence/synthetic';
import { createFilter } from '../src/items/filter.ts';
import { createFieldMap } from '../src/items/map-fields.ts';
import { createRedactor } from '../src/items/redact.ts';
import { alertItem, incidentItem, operatorItem, sinkOf } from './support.ts';

const settingsOf = (yaml: string) => sinkOf(`{sink: a, type: webhook, url: 'https://x.example', ${yaml}}`).common;

suite('a filter', () => {
  for (const { yaml, passes, what } of [
    { yaml: 'only: {severity: warning}', passes: true, what: 'the least priority' },
    { yaml: 'only: {severity: error}', passes: false, what: 'a higher priority' },
    { yaml: "only: {rule.name: 'Shell*'}", passes: true, what: 'a pattern of the rule' },
    { yaml: "only: {rule.name: [Other, 'Shell in *']}", passes: true, what: 'one of two patterns' },
    { yaml: "only: {rule.name: 'shell*'}", passes: false, what: 'a pattern of other letters' },
    { yaml: "only: {rule.name: 'Shell.in'}", passes: false, what: 'a dot, which is no wildcard' },
    { yaml: "only: {container.name: '*'}", passes: false, what: 'a field that is missing' },
    { yaml: "except: {rule.name: 'Shell*', severity: error}", passes: true, what: 'an exception that holds in part' },
    { yaml: "except: {rule.name: 'Shell*'}", passes: false, what: 'an exception' },
    { yaml: 'only: {threat.technique.subtechnique.id: T1059.004}', passes: true, what: 'a value of a list' },
  ]) {
    test(`with ${what} ${passes ? 'passes' : 'stops'} the alert`, () => {
      assert.equal(createFilter(settingsOf(yaml))(alertItem(1)), passes);
    });
  }

  test('with a kind passes the items of that kind, and needs one that exists', () => {
    const passing = (yaml: string): boolean[] =>
      [alertItem(1), incidentItem(1), operatorItem(1)].map(createFilter(settingsOf(yaml)));
    assert.deepEqual(passing('only: {kind: operator}'), [false, false, true]);
    assert.deepEqual(passing('only: {kind: [alert, operator], severity: emergency}'), [false, false, true]);
    assert.deepEqual(passing('except: {kind: operator, event.action: incident.*}'), [true, true, false]);
    assert.throws(() => settingsOf('only: {kind: operators}'), /kind/);
  });

  test('with many stars ends: matching by all ways to divide the text would take years', () => {
    const glob = `${'a*'.repeat(200)}b`;
    const item = alertItem(1, { rule: 'a'.repeat(20_000) });
    assert.equal(createFilter(settingsOf(`only: {rule.name: '${glob}'}`))(item), false);
  });
});

suite('redaction', () => {
  const secretive = alertItem(1, {
    output: 'alice ran curl -H token=AKIA1234567890ABCDEF (user alice)',
    lineage: [{ ...createTestLineage(100), user: 'alice', args: 'curl -H token=AKIA1234567890ABCDEF' }],
  });

  test('removes what a pattern matches and the values of fields, also inside sentences', () => {
    const redact = createRedactor(settingsOf("redact: {fields: [user.name], patterns: ['AKIA[0-9A-Z]{16}']}"));
    const { record, document } = redact(secretive);
    const whole = JSON.stringify([record, document]);
    assert.doesNotMatch(whole, /alice|AKIA/);
    assert.match(whole, /\[redacted\] ran curl/);
  });

  test('with a key keeps equal values equal, and the ids', () => {
    process.env['RF_TEST_REDACT'] = 'pepper';
    const redact = createRedactor(settingsOf('redact: {fields: [user.name], key: env:RF_TEST_REDACT}'));
    const { document, id } = redact(secretive);
    assert.match(String(document['user.name']), /^\[redacted:[0-9a-f]{12}\]$/);
    assert.ok(String(document['message']).startsWith(String(document['user.name'])));
    assert.deepEqual([id, document['event.id']], [secretive.id, secretive.id]);
  });

  test('reaches the story of an incident', () => {
    const redact = createRedactor(settingsOf("redact: {patterns: ['/bin/[a-z]+', 'sequence \\d']}"));
    assert.match(JSON.stringify(incidentItem(1).document), /sequence \d.*\/bin\/sh/);
    assert.doesNotMatch(JSON.stringify(redact(incidentItem(1)).document), /sequence \d|\/bin\/sh/);
  });
});

test('fields are dropped, renamed and added', () => {
  const map = createFieldMap(
    settingsOf('fields: {drop: [tags], rename: {rule.name: alert}, add: {site: ams, level: 3}}'),
  );
  const { document } = map(alertItem(1));
  assert.deepEqual(
    ['tags', 'rule.name', 'alert', 'site', 'level'].map((name) => document[name]),
    [undefined, undefined, 'Shell in container', 'ams', 3],
  );
});
