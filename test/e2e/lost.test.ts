/** Lost events are reported with their number and the reason. */
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

/** Many more events than the small rings hold. */
const OPENS = 40_000;
const EXECS = 500;

describe('events that did not fit into a ring', { skip }, () => {
  let home: Installation;
  let up: Running;
  before(async () => {
    const rings = ['sensor.ringBulkBytes=64KiB', 'sensor.ringSecurityBytes=64KiB'];
    const noShares = ['sensor.share.perSecond=0', 'sensor.share.bytesPerSecond=0B'];
    home = new Installation([...rings, ...noShares, 'sensor.opens=all']);
    up = await home.up();
  });
  after(() => home?.[Symbol.asyncDispose]());

  async function gaps(): Promise<EventDocument[]> {
    const lines = await home.output(['events', '--json', '--limit', '10000', '--where', 'event.action = gap']);
    return lines
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as EventDocument);
  }

  const countOf = (documents: readonly EventDocument[]): number =>
    documents.reduce((sum, gap) => sum + Number(gap['event.count']), 0);

  async function ringFull(): Promise<number> {
    const { kinds } = JSON.parse(await home.output(['stats', '--json'])) as EventAccount;
    return kinds.reduce((sum, { drops }) => sum + (drops.ring_full ?? 0), 0);
  }

  test('are listed as gaps with lane and reason, in the number that stats reports', async () => {
    up.child.kill('SIGSTOP');
    const file = join(home.dir, 'opened');
    for (let n = 0; n < OPENS; n++) closeSync(openSync(file, 'a'));
    execFileSync('/bin/sh', ['-c', `for i in $(seq ${EXECS}); do /bin/true; done`]);
    up.child.kill('SIGCONT');
    // Other processes of this machine can lose more events meanwhile.
    const least = await ringFull();
    const found = await until('gaps', async () => {
      const listed = await gaps();
      return least > 0 && countOf(listed) >= least && listed;
    });
    assert.ok(countOf(found) <= (await ringFull()));
    for (const gap of found) assert.deepEqual([gap['event.category'], gap['gap.reason']], ['host', 'ring_full']);
    assert.deepEqual(new Set(found.map((gap) => gap['gap.lane'])), new Set(['security', 'bulk']));
    const shown = await home.output(['events', '--where', 'event.action = gap', '--limit', '1']);
    assert.match(shown, / gap .*gap\.lane=\w+ gap\.reason=ring_full( event\.count=\d+)?$/m);
  });

  test('raise an alert if they include executions', async () => {
    const where = ['--where', "rule = 'Events were lost'"];
    const alert = await until('the alert', async () => (await home.output(['alerts', ...where])) || undefined);
    assert.match(alert, /\d+ events of host \S+ never came \(ring_full\)/);
  });
});
