import assert from 'node:assert/strict';
import test from 'node:test';
import { OperatorError } from '@ringfence/base';
import { setStatus } from '../../src/api/triage.ts';
import type { App } from '../../src/app.ts';

const app = { audit: { incident: () => undefined } } as unknown as App;

async function rejection(values: Record<string, string>): Promise<string> {
  const signal = new AbortController().signal;
  const error = await setStatus(app, 'inc-0', new URLSearchParams(values), signal).catch((reason: unknown) => reason);
  assert.ok(error instanceof OperatorError);
  return error.message;
}

test('a status change that is not valid is refused before any record is read', async () => {
  assert.match(await rejection({ state: 'closed' }), /needs a --verdict/);
  assert.match(await rejection({ state: 'solved' }), /--state solved: expected new, triaged/);
  assert.match(
    await rejection({ state: 'new', verdict: 'maybe' }),
    /--verdict maybe: expected undecided, true-positive/,
  );
  assert.match(await rejection({ state: 'new', note: 'x'.repeat(513) }), /--note: at most 512 characters/);
});

test('a status change of an unknown incident is refused', async () => {
  assert.match(await rejection({ state: 'new' }), /there is no incident inc-0/);
});
