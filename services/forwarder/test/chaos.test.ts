import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rsyslogMissing } from '@ringfence/dev-servers';
import { playChaos } from './chaos.ts';

test('a far side that is slow, silent, refusing, killed and full gets every record', {
  skip: rsyslogMissing() ?? false,
}, async () => {
  await playChaos(4, ({ name, produced, distinct, lost }) => {
    assert.ok(produced > 100, `${name}: ${produced} records`);
    assert.deepEqual([distinct, lost], [produced, 0], name);
  });
});
