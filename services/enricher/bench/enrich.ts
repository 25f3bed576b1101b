import { createTestHost, O, testRecords } from '@ringfence/testkit';
import { createEnricherPipeline } from '../src/index.ts';

const BATCHES = 60;
const EVENTS = 5000;
const PROCESSES = 200;

/** Opens by known processes, one exec in a hundred events: what a busy host sends most. */
const host = createTestHost();
host.snapshot(host.init, '/usr/lib/systemd/systemd');
const processes = Array.from({ length: PROCESSES }, (_, i) =>
  host.spawn(host.init, `/usr/bin/worker-${i}`, ['worker', String(i), '--with', 'arguments']),
);
const batches: Buffer[] = [host.batch()];
let events = 0;
for (let batch = 0; batch < BATCHES; batch++) {
  for (let i = 0; i < EVENTS; i++, events++) {
    const process = processes[(i * 7) % PROCESSES] ?? host.init;
    if (i % 100 === 0) host.exec(process, '/usr/bin/tool', { argv: ['tool', String(i)] });
    else host.open(process, `/var/lib/app/data-${i % 500}.json`, i % 10 === 0 ? O.WRONLY : O.RDONLY);
  }
  host.tick();
  batches.push(host.batch());
}

const bytes = batches.reduce((sum, batch) => sum + batch.length, 0);
console.log(`${events} events in ${batches.length} batches, ${(bytes / events).toFixed(0)} B each`);
for (let round = 1; round <= 3; round++) {
  const enricher = createEnricherPipeline({ enrolment: { keyFor: () => host.key.publicKey } });
  const records = testRecords(host.hostId, batches);
  const started = performance.now();
  let state = 0;
  for (const record of records) state += enricher.handle([record]).state.length;
  const seconds = (performance.now() - started) / 1000;
  const rate = Math.round(events / seconds).toLocaleString('en');
  const each = ((seconds * 1e6) / events).toFixed(2);
  console.log(
    `round ${round}: ${rate} events/s, ${each} µs an event (verify and walk included), ${(state / records.length).toFixed(0)} state entries a batch`,
  );
}
