import assert from 'node:assert/strict';
import test from 'node:test';
import { checkValidity } from '../src/fleet.ts';

const DAY_MS = 86_400_000;
const certificate = { validFromDate: new Date(0), validToDate: new Date(100 * DAY_MS) };
const checkAtDay = (day: number) => checkValidity('identity', 'web-1', certificate, 'ringfence enrol', day * DAY_MS);

test('a certificate passes until its last quarter, in which it should have been renewed', () => {
  assert.equal(checkAtDay(74).ok, true);
  const late = checkAtDay(76);
  assert.equal(late.ok, false);
  assert.match(late.found, /not renewed, 24\.0 days left/);
  assert.match(late.fix, /registrar/);
});

test('an expired certificate fails, and enrolling again fixes it', () => {
  const expired = checkAtDay(100);
  assert.deepEqual([expired.ok, expired.fix], [false, 'ringfence enrol']);
  assert.match(expired.found, /expired/);
});
