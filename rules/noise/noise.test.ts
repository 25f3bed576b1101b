/** The rules on a machine that is well: a short piece of what `npm run noise` plays for an hour. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Judge } from '../lab/judge.ts';
import { skip } from '../lab/sensor.ts';
import { builtIn } from '../test/support.ts';
import { newNoise, playNoise } from './noise.ts';
import { Tally } from './tally.ts';

const SECONDS = 15;

test('what healthy machines do raises no recommended alert of high severity', { skip }, async (t) => {
  const noise = newNoise();
  const tally = new Tally();
  const judge = new Judge(builtIn(), () => noise.key.publicKey, tally.count);
  const { events, jobs } = await playNoise(noise, {
    seconds: SECONDS,
    onBatch: (batch) => judge.take(noise.hostId, batch),
  });
  t.diagnostic(`${events} events of ${jobs} jobs`);
  for (const line of tally.render().split('\n')) t.diagnostic(line);
  assert.ok(events > 1000, `only ${events} events were seen`);
  assert.equal(tally.high, 0, tally.render());
});
