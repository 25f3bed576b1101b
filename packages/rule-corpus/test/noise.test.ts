/** The rules on a healthy machine: a short part of the jobs that `npm run noise` runs for an hour. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isBpfFileSystem } from '@ringfence/libbpf-ts';
import { EventJudge } from '@ringfence/rule-lab';
import { skip as sensorSkip } from '@ringfence/testkit/sensor';
import { builtIn } from '../src/content.ts';
import { CORPUS } from '../src/noise/corpus.ts';
import { newNoise, playNoise } from '../src/noise/noise.ts';
import { changedSince, digestsOf, readSummary } from '../src/noise/summary.ts';
import { isHigh, Tally } from '../src/noise/tally.ts';

const SECONDS = 15;
const BPF_FS = '/sys/fs/bpf';
const skip =
  sensorSkip || (isBpfFileSystem(BPF_FS) ? false : `no BPF file system at ${BPF_FS}: mount -t bpf bpf ${BPF_FS}`);

test('jobs of healthy machines raise no recommended alert of high severity', { skip }, async (t) => {
  const noise = newNoise();
  const tally = new Tally();
  const judge = new EventJudge({ rules: builtIn(), keyFor: () => noise.key.publicKey, onMatch: tally.count });
  const { events, jobs } = await playNoise(noise, {
    seconds: SECONDS,
    onBatch: (batch) => judge.take(noise.hostId, batch),
  });
  t.diagnostic(`${events} events of ${jobs} jobs`);
  for (const line of tally.render().split('\n')) t.diagnostic(line);
  assert.ok(events > 1000, `only ${events} events were seen`);
  assert.equal(tally.high, 0, tally.render());
});

test('the last measurement has an hour, a million events, and no recommended alert of high severity', (t) => {
  const { events, minutes, high, alerts, rules } = readSummary();
  assert.ok(minutes >= 60, `${minutes} minutes`);
  assert.ok(events >= 1_000_000, `${events} events`);
  assert.equal(high, 0);
  assert.deepEqual(
    alerts.filter(({ profile, priority }) => profile === 'recommended' && isHigh(priority)),
    [],
  );
  assert.ok(Object.keys(rules).length > 0);
  const changed = changedSince(readSummary(), builtIn().rules);
  t.diagnostic(`rules that have changed since: ${changed.join('; ') || 'none'}`);
});

test('a rule counts as changed when its condition or severity differs from the measurement', () => {
  const { rules } = builtIn();
  const summary = { ...readSummary(), rules: digestsOf(rules) };
  assert.deepEqual(changedSince(summary, rules), []);
  const [first, second, ...rest] = rules;
  assert.ok(first !== undefined && second !== undefined);
  const current = [
    { ...first, expression: second.expression },
    { ...second, priority: 'debug' as const },
    ...rest.slice(1),
  ];
  assert.deepEqual(changedSince(summary, current), [first, second, ...rest.slice(0, 1)].map(({ name }) => name).sort());
});

test('each job has a description', () => {
  for (const { name, description } of CORPUS)
    assert.ok(description.length > 15, `${name} needs a line "#desc TEXT" that describes its work`);
});
