import assert from 'node:assert/strict';
import { it } from 'node:test';
import { compile, matchesOf, Scene } from './scene.ts';

const LISTED = '5e'.repeat(32);

/** Returns the outputs of a rule with this condition on the scene's events. */
function printed(scene: Scene, condition: string): string[] {
  const output = '%event.action %process.executable %process.hash.state';
  const rule = `- rule: x\n  desc: x.\n  condition: ${condition}\n  output: "${output}"\n  priority: notice\n`;
  return matchesOf(scene, compile(rule)).map(([, line]) => line);
}

function played(): Scene {
  const scene = new Scene();
  scene.hashes();
  const dropped = scene.start('/tmp/dropped --once');
  scene.hash(dropped, '/tmp/dropped', { sha256: LISTED });
  scene.start('/tmp/dropped --again');
  const skipped = scene.start('/tmp/other');
  scene.hash(skipped, '/tmp/other', { skipped: 'too big' });
  return scene;
}

it('a rule on a list of hashes fires once for each process: when the hash comes, and at the exec once it is known', () => {
  assert.deepEqual(
    printed(played(), `event.action in (exec, hash) and process.hash.sha256 in (${'00'.repeat(32)}, ${LISTED})`),
    ['hash /tmp/dropped hashed', 'exec /tmp/dropped hashed'],
  );
  const sigma = `event.action in (exec, hash) and Hashes contains "SHA256=${LISTED.toUpperCase()}"`;
  assert.equal(printed(played(), sigma).length, 2);
});

it('a rule can match executables that were not hashed', () => {
  assert.deepEqual(printed(played(), 'process.hash.skipped = "too big"'), ['hash /tmp/other skipped']);
});
