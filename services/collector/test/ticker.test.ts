import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { identity } from '@ringfence/testkit/agent';
import { Batch } from '../src/steps/batch.ts';
import { OwnEvents } from '../src/steps/own-events.ts';
import { Ticker } from '../src/steps/ticker.ts';

const INTERVAL_MS = 60_000;

/** That has made one. What is right for an interval of a minute is right however slow the machine is. */
function ticker(intervalMs: number = INTERVAL_MS): Ticker {
  const batch = new Batch({ ...identity, run: Buffer.alloc(8) }, identity.key, 1 << 19);
  const one = new Ticker(intervalMs, batch, new OwnEvents(batch, () => 1), () => []);
  assert.ok(one.begin());
  one.write();
  return one;
}

describe('the tick', () => {
  it('is waited for a second longer where nothing happens, not after an event', () => {
    const one = ticker();
    const idle = one.inMs;
    assert.ok(idle > 0.5 * INTERVAL_MS && idle <= INTERVAL_MS + 1000, `${idle}`);
    one.seen();
    assert.ok(one.inMs <= idle - 1000, `${one.inMs}, ${idle}`);
    assert.ok(!one.begin());
  });

  it('is made when the agent is awake and an interval has passed; the last one is due at once', async () => {
    const one = ticker(500);
    await sleep(510); // it would be waited for as long again
    assert.ok(one.begin());
    const long = ticker();
    long.end();
    assert.equal(long.inMs, 0);
    assert.ok(long.begin());
  });
});
