import assert from 'node:assert/strict';
import { it } from 'node:test';
import { configDocs, loadConfig, NAMED_FLAGS } from '../src/index.ts';
import { settingsSchema } from '../src/schema.ts';
import { environmentName, getAt, leavesOf } from '../src/walk.ts';

const leaves = leavesOf(settingsSchema({ stateDir: '/s', runDir: '/r' }));

it('the documents contain every setting with its default and its environment variable', () => {
  const docs = configDocs();
  for (const { key, info } of leaves) {
    assert.ok(docs.includes(`| \`${key}\` |`), key);
    assert.ok(docs.includes(`\`${environmentName(key)}\``), key);
    assert.ok(info.default !== '' && info.doc.endsWith('.'), key);
  }
});

it('the compiled settings contain every setting under its name, durations with their unit', () => {
  const config = loadConfig({ file: '/dev/null', env: {} });
  for (const { path, info, key } of leaves) {
    const name = info.kind === 'duration' ? `${path.at(-1)}Ms` : path.at(-1)!;
    assert.notEqual(getAt(config, [...path.slice(0, -1), name]), undefined, key);
  }
});

it('every named flag sets a setting', () => {
  for (const { key, flag } of NAMED_FLAGS)
    assert.ok(
      leaves.some((leaf) => leaf.key === key),
      flag,
    );
});
