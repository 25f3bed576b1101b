/** Attacks as a sensor has seen them: `npm run record` plays them anew. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { builtIn } from '../test/support.ts';
import { readActions } from './actions.ts';
import { hostOf, load, matchesOf } from './library.ts';
import { MADE_UP } from './made-up.ts';

const { keys, recordings, matched } = await load();

describe('recordings of attacks', () => {
  const names = builtIn().rules.map(({ name }) => name);

  it('are there for every rule but those of which it is said why not', () => {
    const played = readActions().map(({ rule }) => rule);
    assert.deepEqual([...played, ...Object.keys(MADE_UP)].sort(), names.sort());
    assert.deepEqual(
      Object.keys(matched).sort(),
      played.sort(),
      'matched.tsv has other rules than actions/; run: npm run record',
    );
  });

  for (const [rule, expected] of Object.entries(matched)) {
    it(rule, () => {
      const host = hostOf(rule);
      const found = matchesOf(host, recordings.get(host) ?? [], keys);
      assert.ok(found.includes(rule), `it matched ${found.join(', ') || 'nothing'}`);
      assert.deepEqual(found, expected, `matched.tsv has other rules; play it again: npm run record -- '${rule}'`);
    });
  }
});
