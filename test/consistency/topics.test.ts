import assert from 'node:assert/strict';
import { it } from 'node:test';
import { loadConfig } from '@ringfence/config';
import { topics } from '@ringfence/wire';

it('the settings have the topics and default retentions of the catalogue', () => {
  const fromSettings = Object.entries(loadConfig({ file: '/dev/null', env: {} }).topics);
  const fromCatalogue = topics.map(({ setting, retentionMs, retentionBytes }) => [
    setting,
    { retentionMs, retentionBytes },
  ]);
  assert.deepEqual(fromSettings, fromCatalogue);
});
