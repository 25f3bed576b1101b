/** The rules on a machine that is well: a short piece of what `npm run noise` plays for an hour. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Judge } from '../lab/judge.ts';
import { skip } from '../lab/sensor.ts';
import { builtIn } from '../test/support.ts';
import { CORPUS } from './corpus.ts';
import { newNoise, playNoise } from './noise.ts';
import { changedSince, digestsOf, readSummary } from './summary.ts';
import { isHigh, Tally } from './tally.ts';

const SECONDS = 15;
const AGAIN = 'measure again: npm run noise -- --minutes 60 --keep FILE, then npm run noise -- FILE --write';

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

test('what was measured last is an hour and a million events or more, without one recommended alert of high severity', (t) => {
  const { events, minutes, high, alerts, rules } = readSummary();
  assert.ok(minutes >= 60, `${minutes} minutes; ${AGAIN}`);
  assert.ok(events >= 1_000_000, `${events} events; ${AGAIN}`);
  assert.equal(high, 0, AGAIN);
  assert.deepEqual(
    alerts.filter(({ profile, priority }) => profile === 'recommended' && isHigh(priority)),
    [],
  );
  assert.ok(Object.keys(rules).length > 0);
  const changed = changedSince(readSummary(), builtIn().rules);
  t.diagnostic(`rules that have changed since: ${changed.join('; ') || 'none'}`);
});

test('a rule has changed since it was measured when its condition, a list that it uses, or its severity has', () => {
  const { rules } = builtIn();
  const summary = { ...readSummary(), rules: digestsOf(rules) };
  assert.deepEqual(changedSince(summary, rules), []);
  const [first, second, ...rest] = rules;
  assert.ok(first !== undefined && second !== undefined);
  const now = [
    { ...first, expression: second.expression },
    { ...second, priority: 'debug' as const },
    ...rest.slice(1),
  ];
  assert.deepEqual(changedSince(summary, now), [first, second, ...rest.slice(0, 1)].map(({ name }) => name).sort());
});

test('each job says what it stands for, and where it is played', () => {
  for (const { name, is } of CORPUS) assert.match(is, /^[a-z].{15,}/, name);
});
