import assert from 'node:assert/strict';
import test from 'node:test';
import { revocationLines } from '../src/enrol/view.ts';

test('a revocation prints its effect on brokers, services and agents, and what remains to do', () => {
  const lines = revocationLines('detector-1', { keys: 1, access: 'removed' });
  assert.equal(lines[0], 'detector-1: 1 key revoked');
  assert.match(lines[1] ?? '', /brokers: +its access is removed/);
  assert.ok(lines.some((line) => line.includes('ringfence topology')));
  assert.ok(lines.some((line) => line.includes('ringfence token --role … --subject detector-1')));
  assert.match(revocationLines('detector-1', { keys: 1, access: 'failed' })[1] ?? '', /tries again/);
  assert.match(revocationLines('detector-1', { keys: 2 })[1] ?? '', /do not know it by its name/);
});

test('the revocation of a host says that its certificate still works at the brokers', () => {
  const host = '5b0c1a1e-7c1b-4b7e-9a53-0d8a0a4f6a11';
  const lines = revocationLines(host, { keys: 1, access: 'none' });
  assert.equal(lines[0], `${host}: 1 key revoked`);
  assert.ok(lines.some((line) => line.includes('until it expires')));
  assert.ok(lines.some((line) => line.includes(`ringfence token --role agent --subject ${host}`)));
});
