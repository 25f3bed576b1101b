/** Witnesses performed on the running kernel: the sensor's event has the values that the witness has. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { compileDetectorRules, interestOf } from '@ringfence/detector';
import { isBpfFileSystem } from '@ringfence/libbpf-ts';
import { compileProgram, skip as sensorSkip } from '@ringfence/testkit/sensor';
import { builtIn, sources } from '../src/content.ts';
import { LabSensor } from '../src/lab/sensor.ts';
import { Performer } from '../src/witness/perform.ts';

const BPF_FS = '/sys/fs/bpf';
const skip =
  sensorSkip || (isBpfFileSystem(BPF_FS) ? false : `no BPF file system at ${BPF_FS}: mount -t bpf bpf ${BPF_FS}`);
/** Rules whose witnesses are performed. */
const DRAWN = 50;

/** The hash of the name decides the order, so that nobody chooses. */
function drawn(): string[] {
  const hash = (name: string): string => createHash('sha256').update(name).digest('hex');
  return builtIn()
    .rules.map(({ name }) => name)
    .sort((a, b) => (hash(a) < hash(b) ? -1 : 1));
}

test('fifty witnesses, drawn by hash, happen on the running kernel as they were built', { skip }, async (t) => {
  let take: (batch: Buffer) => void = () => {};
  const interest = interestOf(compileDetectorRules(sources, 'hunt'));
  await using sensor = await LabSensor.start((batch) => take(batch), { interest });
  using performer = new Performer(sensor, compileProgram);
  take = (batch) => performer.take(batch);
  const different: string[] = [];
  let performed = 0;
  for (const name of drawn()) {
    if (performed === DRAWN) break;
    const performance = await performer.perform(name);
    if (performance.kind === 'unperformed') t.diagnostic(`not performed: ${name}: ${performance.why}`);
    else performed++;
    if (performance.kind === 'different') different.push(`${name}: ${performance.differences.join('; ')}`);
  }
  assert.deepEqual(different, []);
  assert.equal(performed, DRAWN, 'too few rules can be performed here');
});
