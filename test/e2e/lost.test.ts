/** What is lost is told: how much, and why. */
import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { EventAccount } from '@ringfence/collector';
import type { EventDocument } from '@ringfence/schema';
import { Installation, type Running } from './lib/program.ts';
import { skip } from './lib/root.ts';
import { until } from './lib/wait.ts';

/** Far more than the small ring holds. */
const OPENS = 40_000;

describe('events that nobody could take in time', { skip }, () => {
  let home: Installation;
  let up: Running;
  before(async () => {
    home = new Installation(['sensor.ringBulkBytes=64KiB', 'sensor.opens=all', 'sensor.share.perSecond=0']);
    up = await home.up();
  });
  after(() => home?.[Symbol.asyncDispose]());

  async function gaps(): Promise<EventDocument[]> {
    const lines = await home.output(['events', '--json', '--limit', '10000', '--where', 'event.action = gap']);
    const told = lines.split('\n').filter(Boolean);
    return told.map((line) => JSON.parse(line) as EventDocument);
  }

  async function ringFull(): Promise<number> {
    const { kinds } = JSON.parse(await home.output(['stats', '--json'])) as EventAccount;
    return kinds.reduce((sum, { drops }) => sum + (drops.ring_full ?? 0), 0);
  }

  test('are listed as gaps: as many as the account says, with lane and reason', async () => {
    up.child.kill('SIGSTOP');
    const file = join(home.dir, 'opened');
    for (let n = 0; n < OPENS; n++) closeSync(openSync(file, 'a'));
    up.child.kill('SIGCONT');
    const found = await until('gaps', async () => {
      const told = await gaps();
      const count = told.reduce((sum, gap) => sum + Number(gap['event.count']), 0);
      return count > 0 && count === (await ringFull()) && told;
    });
    for (const gap of found)
      assert.deepEqual([gap['event.category'], gap['gap.lane'], gap['gap.reason']], ['host', 'bulk', 'ring_full']);
    const shown = await home.output(['events', '--where', 'event.action = gap', '--limit', '1']);
    assert.match(shown, / gap .*gap\.lane=bulk gap\.reason=ring_full( event\.count=\d+)?$/m);
  });
});
