import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { identity } from '@ringfence/testkit/agent';
import { Batch } from '../src/delivery/batch.ts';
import { AgentEvents } from '../src/steps/agent-events.ts';
import { Ticker } from '../src/steps/ticker.ts';

/** Long enough that a slow machine cannot reach the next tick by accident. */
const INTERVAL_MS = 60_000;

/** Returns a ticker that has just written a tick. */
function tickedTicker(intervalMs: number = INTERVAL_MS): Ticker {
  const batch = new Batch({ ...identity, run: Buffer.alloc(8) }, identity.key, 1 << 19);
  const agentEvents = new AgentEvents(batch, () => 1);
  const ticker = new Ticker(intervalMs, batch, agentEvents, () => []);
  assert.ok(ticker.begin());
  ticker.write();
  return ticker;
}

describe('the ticker', () => {
  it('lets an idle agent sleep a second longer, but not after an event', () => {
    const ticker = tickedTicker();
    const idleMs = ticker.maxSleepMs;
    assert.ok(idleMs > 0.5 * INTERVAL_MS && idleMs <= INTERVAL_MS + 1000, `${idleMs}`);
    ticker.noteEvents();
    assert.ok(ticker.maxSleepMs <= idleMs - 1000, `${ticker.maxSleepMs}, ${idleMs}`);
    assert.ok(!ticker.begin());
  });

  it('begins a tick when the interval is over and the agent is awake', async () => {
    const ticker = tickedTicker(500);
    await sleep(510); // An idle agent could sleep as long again.
    assert.ok(ticker.begin());
  });

  it('makes the last tick due at once', () => {
    const ticker = tickedTicker();
    ticker.finish();
    assert.equal(ticker.maxSleepMs, 0);
    assert.ok(ticker.begin());
  });
});
