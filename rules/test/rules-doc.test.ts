import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { compile, contentFolder } from './support.ts';

it('compiles every rule that docs/RULES.md shows', () => {
  const text = readFileSync(join(contentFolder, '../docs/RULES.md'), 'utf8');
  const blocks = [...text.matchAll(/^```yaml\n((?:- rule|- required_engine_version|title): .*?)^```/gms)].map(
    ([, block = '']) => block,
  );
  assert.ok(blocks.length >= 3);
  for (const [number, block] of blocks.entries()) compile([{ name: `block ${number + 1}`, text: block }]);
});
