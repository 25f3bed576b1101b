/** Programs that were running before the agent. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compile, matchesOf, Scene } from './fields/scene.ts';

const FALCO = `
- rule: Spawned
  desc: d
  condition: evt.type in (execve, execveat) and proc.name = miner
  output: x
  priority: INFO
`;
const NATIVE = `
- rule: Any start
  desc: d
  condition: event.action = exec and process.name = miner
  output: x
  priority: notice
- rule: Also found running
  desc: d
  condition: event.action = exec and process.exec.snapshot exists and process.name = miner
  output: x
  priority: notice
- rule: Started, then another
  desc: d
  condition: >
    sequence by host.id with maxspan=1m
      [ event.action = exec and process.name = miner ]
      [ event.action = exec and process.name = helper ]
  output: x
  priority: notice
`;

function namesOf(rules: string, play: (scene: Scene) => void): string[] {
  const scene = new Scene();
  play(scene);
  return matchesOf(scene, compile(rules)).map(([name]) => name);
}

test('a program that was running before the agent matches only rules that ask for such programs', () => {
  const found = (scene: Scene): void => {
    scene.snapshot(scene.fork(scene.init), '/opt/miner');
    scene.start('/opt/helper');
  };
  assert.deepEqual(namesOf(NATIVE, found), ['Also found running']);
  assert.deepEqual(namesOf(FALCO, found), []);
});

test('a program that starts matches all of them', () => {
  const started = (scene: Scene): void => {
    scene.start('/opt/miner');
    scene.start('/opt/helper');
  };
  assert.deepEqual(namesOf(NATIVE, started), ['Any start', 'Also found running', 'Started, then another']);
  assert.deepEqual(namesOf(FALCO, started), ['Spawned']);
});
