/** What is lost is told: how much, and why. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { EventAccount } from '@ringfence/collector';
import type { EventDocument } from '@ringfence/fields';
import { Installation, type Running } from './lib/program.ts';
import { skip } from './lib/root.ts';
import { until } from './lib/wait.ts';

/** Far more than the small rings hold. */
const OPENS = 40_000;
const EXECS = 500;

describe('events that nobody could take in time', { skip }, () => {
  let home: Installation;
  let up: Running;
  before(async () => {
    const rings = ['sensor.ringBulkBytes=64KiB', 'sensor.ringSecurityBytes=64KiB'];
    home = new Installation([...rings, 'sensor.opens=all', 'sensor.share.perSecond=0']);
    up = await home.up();
  });
  after(() => home?.[Symbol.asyncDispose]());

  async function gaps(): Promise<EventDocument[]> {
    const lines = await home.output(['events', '--json', '--limit', '10000', '--where', 'event.action = gap']);
    const told = lines.split('\n').filter(Boolean);
    return told.map((line) => JSON.parse(line) as EventDocument);
  }

  const countOf = (told: readonly EventDocument[]): number =>
    told.reduce((sum, gap) => sum + Number(gap['event.count']), 0);

  async function ringFull(): Promise<number> {
    const { kinds } = JSON.parse(await home.output(['stats', '--json'])) as EventAccount;
    return kinds.reduce((sum, { drops }) => sum + (drops.ring_full ?? 0), 0);
  }

  test('are listed as gaps: as many as the account says, with lane and reason', async () => {
    up.child.kill('SIGSTOP');
    const file = join(home.dir, 'opened');
    for (let n = 0; n < OPENS; n++) closeSync(openSync(file, 'a'));
    execFileSync('/bin/sh', ['-c', `for i in $(seq ${EXECS}); do /bin/true; done`]);
    up.child.kill('SIGCONT');
    // Others on this machine may go on losing some of theirs.
    const least = await ringFull();
    const found = await until('gaps', async () => {
      const told = await gaps();
      return least > 0 && countOf(told) >= least && told;
    });
    assert.ok(countOf(found) <= (await ringFull()));
    for (const gap of found) assert.deepEqual([gap['event.category'], gap['gap.reason']], ['host', 'ring_full']);
    assert.deepEqual(new Set(found.map((gap) => gap['gap.lane'])), new Set(['security', 'bulk']));
    const shown = await home.output(['events', '--where', 'event.action = gap', '--limit', '1']);
    assert.match(shown, / gap .*gap\.lane=\w+ gap\.reason=ring_full( event\.count=\d+)?$/m);
  });

  test('are an alert where executions are among them', async () => {
    const where = ['--where', "rule = 'Events were lost'"];
    const told = await until('the alert', async () => (await home.output(['alerts', ...where])) || undefined);
    assert.match(told, /\d+ events of host \S+ never came \(ring_full\)/);
  });
});
