import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { loadPlaybookFiles, runPlaybookTests } from '@ringfence/responder';

suite('the built-in playbooks', () => {
  const { playbooks, problems } = loadPlaybookFiles(['builtin']);
  const run = runPlaybookTests(['builtin'], playbooks);

  test('are valid, and only observe', () => {
    assert.deepEqual(problems, []);
    assert.deepEqual(
      playbooks.map(({ playbook, mode }) => [playbook, mode]),
      [
        ['attack-chain', 'observe'],
        ['miner', 'observe'],
      ],
    );
  });

  test('have tests of their own', () => {
    assert.deepEqual(run.problems, []);
    assert.deepEqual(new Set(run.results.map(({ playbook }) => playbook)), new Set(['attack-chain', 'miner']));
  });

  for (const { playbook, test: title, expected, actual } of run.results)
    test(`${playbook}: ${title}`, () => assert.equal(actual, expected));
});
