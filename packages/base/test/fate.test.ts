import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fateOf, Patience, Seldom } from '../src/index.ts';

class FatedError extends Error {
  readonly fate: string;
  constructor(fate: string) {
    super(`this is ${fate}`);
    this.fate = fate;
  }
}

test('the fate of an error is its property fate; any other error is fatal', () => {
  assert.equal(fateOf(new FatedError('retriable')), 'retriable');
  assert.equal(fateOf(new FatedError('poison')), 'poison');
  assert.equal(fateOf(new FatedError('karma')), 'fatal');
  assert.equal(fateOf(new Error('plain')), 'fatal');
  assert.equal(fateOf('text'), 'fatal');
});

describe('the throttle of the log', () => {
  test('lets one line of a kind through per interval, and counts the suppressed lines', () => {
    const throttle = new Seldom(1000);
    assert.deepEqual(
      [0, 10, 999, 1000, 1500, 2000].map((now) => throttle.tell('a', now)),
      [0, null, null, 2, null, 1],
    );
    assert.equal(throttle.tell('b', 10), 0);
  });

  test('bounds the number of kinds', () => {
    const throttle = new Seldom(1000);
    for (let n = 0; n < 1000; n++) throttle.tell(`kind ${n}`, 0);
    assert.equal(throttle.tell('another kind', 1), null);
  });
});

describe('the grace period of a key', () => {
  test('holds from the first request for a name, for the given time', () => {
    let now = 0;
    const grace = new Patience({ graceMs: 1000, now: () => now });
    assert.deepEqual(
      [0, 999, 1000, 50_000].map((at) => {
        now = at;
        return grace.waitsFor('key');
      }),
      [true, true, false, false],
    );
    now = 60_000;
    assert.equal(grace.waitsFor('key'), true, 'a name is forgotten after a minute');
  });

  test('is granted to a few names a minute, so that a flood of unknown keys cannot stop a reader', () => {
    const grace = new Patience({ graceMs: 1000, perMinute: 2, now: () => 0 });
    assert.deepEqual(
      ['a', 'b', 'c', 'a'].map((name) => grace.waitsFor(name)),
      [true, true, false, true],
    );
  });

  test('does not exist with 0 ms', () => {
    assert.equal(new Patience({ graceMs: 0 }).waitsFor('key'), false);
  });
});
