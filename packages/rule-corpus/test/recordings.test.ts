/** Recorded actions of the built-in rules; `npm run record` records them again. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { builtIn } from '../src/content.ts';
import {
  commandFor,
  loadRecording,
  matchesOf,
  readActions,
  recordedSlugs,
  slugOf,
  UNRECORDED,
} from '../src/recordings/index.ts';

describe('recordings of attacks', () => {
  const names = builtIn().rules.map(({ name }) => name);
  const recorded = names.filter((name) => !(name in UNRECORDED));

  it('have an action for each rule', () => {
    const actions = readActions().map(({ rule }) => rule);
    assert.deepEqual(actions.sort(), [...recorded].sort());
  });

  it('exist for each rule, under unique names', () => {
    assert.deepEqual(recordedSlugs().sort(), recorded.map(slugOf).sort(), 'run npm run record for the missing ones');
  });

  for (const { rule, also } of readActions())
    it(`match "${rule}" and the rules that its action names`, async () => {
      const recording = await loadRecording(rule);
      assert.ok(recording !== undefined, `there is no recording: run ${commandFor(rule)}`);
      const matched = matchesOf(rule, recording);
      assert.ok(matched.includes(rule), `it matches ${matched.join(', ') || 'no rule'}`);
      const wanted = [rule, ...also].sort();
      assert.deepEqual(matched, wanted, 'name the other rules in lines "#also RULE" of the action');
    });
});
