import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { suite, test } from 'node:test';
import { renderProblem } from '@ringfence/checked-yaml';
import { loadSinks } from '../../src/settings/load.ts';

const KINDS = join(import.meta.dirname, '../../src/kinds');

suite('the examples of a kind of sink', () => {
  for (const page of globSync('*/README.md', { cwd: KINDS })) {
    test(`${page} can be loaded`, () => {
      const examples = [...readFileSync(join(KINDS, page), 'utf8').matchAll(/```yaml\n(.*?)```/gs)];
      const { items, problems } = loadSinks(examples.map(([, text = '']) => ({ name: page, text })));
      assert.deepEqual(problems.map(renderProblem), []);
      assert.ok(items.some(({ kind }) => kind.type === basename(dirname(page))));
    });
  }
});
