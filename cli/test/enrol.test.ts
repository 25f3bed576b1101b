import assert from 'node:assert/strict';
import test from 'node:test';
import { type Revocation, revocationLines } from '../src/enrol/view.ts';

test('a revocation prints its effect on groups, brokers, services and agents, and what remains to do', () => {
  const lines = revocationLines('detector-1', { keys: 1, access: 'removed', departure: 'left' });
  assert.equal(lines[0], 'detector-1: 1 key revoked');
  assert.match(lines[1] ?? '', /groups: +it has left its groups/);
  assert.match(lines[2] ?? '', /brokers: +its access is removed/);
  assert.ok(lines.some((line) => line.includes('ringfence topology')));
  assert.ok(lines.some((line) => line.includes('ringfence token --role … --subject detector-1')));
  const second = (revocation: Revocation): string => revocationLines('detector-1', revocation)[2] ?? '';
  assert.match(second({ keys: 1, access: 'failed' }), /tries again/);
  assert.match(second({ keys: 2 }), /do not know it by its name/);
  const unconfirmed = revocationLines('detector-1', { keys: 1, access: 'removed', departure: 'unconfirmed' });
  assert.match(unconfirmed[1] ?? '', /did not confirm within 15 s.*bus\.kafka\.sessionTimeout/);
});

test('the revocation of a detector or an enricher names the commands that judge its time again', () => {
  const at = Date.parse('2026-11-30T12:00:00Z');
  for (const role of ['detector', 'enricher'] as const) {
    const text = revocationLines('member-1', { keys: 1, at, roles: [role] }).join('\n');
    assert.match(text, /ringfence record revoked\.rec --since 2026-11-30T11:00:00\.000Z --until now/);
    assert.match(text, /ringfence replay revoked\.rec/);
  }
  const responder = revocationLines('responder-1', { keys: 1, at, roles: ['responder'] }).join('\n');
  assert.doesNotMatch(responder, /replay/);
});

test('the revocation of a host says that its certificate still works at the brokers', () => {
  const host = '5b0c1a1e-7c1b-4b7e-9a53-0d8a0a4f6a11';
  const lines = revocationLines(host, { keys: 1, access: 'none' });
  assert.equal(lines[0], `${host}: 1 key revoked`);
  assert.ok(lines.some((line) => line.includes('until it expires')));
  assert.ok(lines.some((line) => line.includes(`ringfence token --role agent --subject ${host}`)));
});
