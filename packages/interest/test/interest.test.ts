import assert from 'node:assert/strict';
import test from 'node:test';
import { interestContent, interestVersion } from '../src/interest.ts';

test('interest versions grow with time and have the same content if they want the same events', () => {
  const older = interestVersion(1_800_000_000, 'before');
  const current = interestVersion(1_800_000_060, 'after');
  const restarted = interestVersion(1_800_000_090, 'after');
  assert.ok(older < current && current < restarted && Number.isSafeInteger(restarted));
  assert.equal(interestContent(current), interestContent(restarted));
  assert.notEqual(interestContent(older), interestContent(restarted));
});
