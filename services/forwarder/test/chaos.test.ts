import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { CHAOS } from './chaos.ts';

suite('a far side that is slow, silent, refusing, killed and full gets every record', () => {
  for (const { name, missing, play } of CHAOS)
    test(name, { skip: missing() ?? false }, async () => {
      const { produced, distinct, lost } = await play(4);
      assert.ok(produced > 100, `${produced} records`);
      assert.deepEqual([distinct, lost], [produced, 0]);
    });
});
