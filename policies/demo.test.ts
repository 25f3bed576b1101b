import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { loadPolicyFiles, PolicySet, type Subject } from '@ringfence/responder';

const killed: Subject = {
  rule: 'Reverse shell',
  priority: 'critical',
  tactics: ['command-and-control'],
  action: 'kill',
  hostId: 'host-1',
  cgroupPath: '/ringfence-demo-0a1b2c3d',
  image: 'shop/web:1.4',
  incident: null,
};

suite('the built-in policies', () => {
  const { policies, problems } = loadPolicyFiles(['builtin']);
  const set = new PolicySet(policies, 'observe');

  test('are valid', () => {
    assert.deepEqual(problems, []);
    assert.deepEqual(
      policies.map(({ policy }) => policy),
      ['demo'],
    );
  });

  test('enforce in the sandbox of the demo', () => {
    assert.deepEqual(set.judge(killed), { action: 'kill', policy: 'demo', mode: 'enforce', reach: 'tree', forMs: 0 });
  });

  for (const cgroupPath of ['/', '', '/docker/abc', '/x/ringfence-demo-1', '/ringfence-dem', '/user.slice']) {
    test(`only observe in ${cgroupPath === '' ? 'an unknown cgroup' : cgroupPath}`, () => {
      assert.deepEqual(set.judge({ ...killed, cgroupPath }), {
        action: 'kill',
        policy: 'rule-action',
        mode: 'observe',
        reach: 'tree',
        forMs: 0,
      });
    });
  }

  test('only observe in the demo of another ringfence, where the image is unknown', () => {
    assert.deepEqual(set.judge({ ...killed, image: '' }), {
      action: 'kill',
      policy: 'rule-action',
      mode: 'observe',
      reach: 'tree',
      forMs: 0,
    });
  });

  test('do nothing if no rule orders a kill', () => {
    assert.equal(set.judge({ ...killed, action: 'alert' }), undefined);
  });
});
