import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';
import type { OutRecord, StateEntry } from '@ringfence/bus';
import { createSyntheticHost, O, type SyntheticHost, type SyntheticProcess } from '@ringfence/synthetic';
import { decode, TOPIC } from '@ringfence/wire';
import fc from 'fast-check';
import type { EnricherOptions } from '../src/index.ts';
import { type KeptState, keptState, knownSteps } from './kept-state.ts';
import { createTestEnricher, records, TestStore } from './support.ts';

const OPTIONS: EnricherOptions = { maxProcesses: 40, writtenFiles: 12, keptTicks: 2 };

/** Returns the batches of a random host: all kinds of events, with losses and late arrivals. */
function play(host: SyntheticHost, steps: readonly number[]): Buffer[] {
  const batches: Buffer[] = [];
  const living: SyntheticProcess[] = [host.init];
  const pick = (step: number): SyntheticProcess => living[step % living.length] ?? host.init;
  steps.forEach((step, i) => {
    const process = pick(step >>> 4);
    host.cpu = (step >>> 8) % 2;
    const kind = step % 16;
    if (kind < 3) living.push(host.spawn(process, `/bin/p${step % 7}`, ['p', String(i)]));
    else if (kind === 3) living.push(host.fork(process));
    else if (kind === 4)
      host.exec(process, `/tmp/f${step % 5}`, { scriptInode: step % 3 === 0 ? host.inodeOf(`/tmp/f${step % 4}`) : 0n });
    else if (kind === 5) host.open(process, `/tmp/f${step % 5}`, O.WRONLY);
    else if (kind === 6) host.open(process, '/etc/passwd');
    else if (kind === 7 && living.length > 1)
      host.exit(living.splice(1 + (step % (living.length - 1)), 1)[0] ?? process);
    else if (kind === 8) host.credentials(process, step % 3);
    else if (kind === 9) host.drop(step % 2, 1 + (step % 3), step % 4 === 0 ? '' : 'ring_full');
    else if (kind === 10) host.container({ cgroup: BigInt(step % 3), id: step % 5 === 0 ? '' : `c${step % 4}` });
    else if (kind === 11) host.user(step % 3, `user-${step % 11}`);
    else if (kind === 12) living.push(host.unseen(process));
    else if (kind === 13)
      host.hash(process, `/tmp/f${step % 5}`, { sha256: 'ab'.repeat(32), lasting: step % 3 > 0, script: step % 2 > 0 });
    else if (kind === 14) host.hashes();
    else host.tick();
    process.cgroup = step % 17 === 0 ? BigInt(step % 3) : process.cgroup;
    if (step % 5 === 0) batches.push(host.batch());
  });
  batches.push(host.batch());
  return batches;
}

const hex = (outputs: readonly OutRecord[]): string[] =>
  outputs.map(({ value }) => Buffer.from(value ?? []).toString('hex'));

test('a restart after any record gives the same bytes and the same state as no restart', async () => {
  const key = createSyntheticHost().key;
  const steps = fc.array(fc.nat({ max: 1 << 20 }), { minLength: 20, maxLength: 120 });
  await fc.assert(
    fc.asyncProperty(steps, async (chosen) => {
      const host = createSyntheticHost({ key });
      const input = records(host, play(host, chosen));
      const whole = createTestEnricher(host, OPTIONS);
      const wholeStore = new TestStore();
      const expected: string[] = [];
      const store = new TestStore();
      for (const record of input) {
        const effect = whole.handle([record]);
        wholeStore.apply(effect);
        const restarted = createTestEnricher(host, OPTIONS);
        await restarted.restore(store.entries());
        const again = restarted.handle([record]);
        store.apply(again);
        assert.deepEqual(hex(again.outputs), hex(effect.outputs));
        assert.deepEqual(store.dump(), wholeStore.dump());
        expected.push(...hex(effect.outputs));
      }
      const atOnce = createTestEnricher(host, OPTIONS).handle(input);
      assert.deepEqual(hex(atOnce.outputs), expected, 'the grouping of records does not matter');
    }),
    { numRuns: 20 },
  );
});

test('a batch that is handled again after its state was written has no second effect', async () => {
  const host = createSyntheticHost();
  const input = records(
    host,
    play(
      host,
      Array.from({ length: 300 }, (_, i) => (i * 7919) % 100_003),
    ),
  );
  const enricher = createTestEnricher(host);
  const store = new TestStore();
  for (const record of input) store.apply(enricher.handle([record]));
  const restarted = createTestEnricher(host);
  await restarted.restore(store.entries());
  const { outputs } = restarted.handle(input);
  assert.equal(restarted.stats().events, 0);
  assert.ok(restarted.stats().duplicates > 0);
  assert.ok(outputs.every(({ value }) => (value?.length ?? 0) < 500));
});

/** Released states, and the state before its entries were Avro records. */
const FOLDERS = ['history/', 'golden/'].map((folder) => new URL(folder, import.meta.url));

const read = (file: URL): KeptState => JSON.parse(readFileSync(file, 'utf8')) as KeptState;

async function* entriesOf({ entries }: KeptState): AsyncGenerator<StateEntry> {
  for (const { key, value, position } of entries) yield { key, value: Buffer.from(value, 'base64'), position };
}

/** Members of processes that releases before 0.2 did not keep: they are unknown until the next exec. */
const NEWER = { processGroup: 0, processSession: 0, startedAs: Buffer.alloc(0) };

function withoutNewer(outputs: readonly OutRecord[]): unknown[] {
  return outputs.map(({ topic, value }) => {
    if (topic !== TOPIC.events || value === null) return { topic, value };
    const batch = decode('EventBatch', value);
    return { ...batch, processes: batch.processes.map((process) => ({ ...process, ...NEWER })) };
  });
}

/** Restores the state and checks that the next outputs are those of an enricher that never stopped. */
async function assertContinues(
  kept: KeptState,
  shown: (outputs: readonly OutRecord[]) => unknown = hex,
): Promise<void> {
  const host = createSyntheticHost();
  const { before, after } = knownSteps(host, kept);
  const whole = createTestEnricher(host);
  whole.handle(before);
  const expected = whole.handle(after);
  const restarted = createTestEnricher(host);
  await restarted.restore(entriesOf(kept));
  assert.deepEqual(shown(restarted.handle(after).outputs), shown(expected.outputs));
}

for (const folder of FOLDERS)
  for (const name of readdirSync(folder))
    test(`an enricher continues from the state in ${name}`, () =>
      assertContinues(read(new URL(name, folder)), withoutNewer));

test('an enricher continues from the state of the next release', async () => {
  const kept = await keptState('next');
  assert.ok(kept.entries.length > 0);
  await assertContinues(kept);
});

test('each entry that an enricher writes is a framed Avro record, after an older state, too', async () => {
  const older = read(new URL('golden/state-before-avro.json', import.meta.url));
  const host = createSyntheticHost();
  const restarted = createTestEnricher(host);
  await restarted.restore(entriesOf(older));
  const { state } = restarted.handle(knownSteps(host, older).after);
  const written = state.flatMap(({ key, value }) => (value === null ? [] : [{ key, value }]));
  assert.deepEqual(written.map(({ key }) => key.split('/')[2]).sort(), ['l', 'n', 'p', 'p', 's']);
  for (const { key, value } of written) assert.deepEqual([...value.subarray(0, 2)], [0xc3, 0x01], key);
});

test('an entry that is cut off or of an unknown schema stops the restore, in either encoding', async () => {
  const older = read(new URL('golden/state-before-avro.json', import.meta.url));
  for (const kept of [older, await keptState('next')])
    for (const [at, entry] of kept.entries.entries()) {
      // The older encoding of the others has no end: a text, a hash, or a list of fingerprints.
      if (kept === older && !/\/(s|p|c|w|n)(\/|$)/.test(entry.key)) continue;
      const value = Buffer.from(entry.value, 'base64').subarray(0, -1);
      const entries = kept.entries.with(at, { ...entry, value: value.toString('base64') });
      const restoring = createTestEnricher(createSyntheticHost()).restore(entriesOf({ ...kept, entries }));
      await assert.rejects(restoring, { code: 'ERR_ENRICHER_STATE', key: entry.key }, entry.key);
    }
  const value = Buffer.from('c301ffffffffffffffff00', 'hex').toString('base64');
  const unknown = { ...older, entries: [{ ...older.entries[0]!, value }] };
  await assert.rejects(createTestEnricher(createSyntheticHost()).restore(entriesOf(unknown)), {
    code: 'ERR_ENRICHER_STATE',
  });
});
