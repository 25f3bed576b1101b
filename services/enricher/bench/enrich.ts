import { consumerRecords, createSyntheticHost, O, type SyntheticHost } from '@ringfence/synthetic';
import { createEnricherPipeline } from '../src/pipeline.ts';

const BATCHES = 60;
const EVENTS = 5000;
const PROCESSES = 200;

/** Opens by known processes, and one exec in a hundred events: the typical load of a busy host. */
function opens(): { host: SyntheticHost; batches: Buffer[] } {
  const host = createSyntheticHost();
  host.snapshot(host.init, '/usr/lib/systemd/systemd');
  const processes = Array.from({ length: PROCESSES }, (_, i) =>
    host.spawn(host.init, `/usr/bin/worker-${i}`, ['worker', String(i), '--with', 'arguments']),
  );
  const batches: Buffer[] = [host.batch()];
  for (let batch = 0; batch < BATCHES; batch++) {
    for (let i = 0; i < EVENTS; i++) {
      const process = processes[(i * 7) % PROCESSES] ?? host.init;
      if (i % 100 === 0) host.exec(process, '/usr/bin/tool', { argv: ['tool', String(i)] });
      else host.open(process, `/var/lib/app/data-${i % 500}.json`, i % 10 === 0 ? O.WRONLY : O.RDONLY);
    }
    host.tick();
    batches.push(host.batch());
  }
  return { host, batches };
}

/** Short-lived processes (fork, exec, exit), more than the table has room for. */
function storms(): { host: SyntheticHost; batches: Buffer[] } {
  const host = createSyntheticHost();
  host.snapshot(host.init, '/usr/lib/systemd/systemd');
  const batches: Buffer[] = [host.batch()];
  for (let batch = 0; batch < BATCHES; batch++) {
    for (let i = 0; i < EVENTS / 3; i++) host.exit(host.spawn(host.init, '/usr/bin/true', ['true', String(i)]));
    host.tick();
    batches.push(host.batch());
  }
  return { host, batches };
}

function measure(name: string, { host, batches }: { host: SyntheticHost; batches: Buffer[] }): void {
  const bytes = batches.reduce((sum, batch) => sum + batch.length, 0);
  for (let round = 1; round <= 3; round++) {
    const enricher = createEnricherPipeline({ enrolment: { keyFor: () => host.key.publicKey } });
    let [entries, stateBytes, slowest] = [0, 0, 0];
    const started = performance.now();
    for (const record of consumerRecords(host.hostId, batches)) {
      const before = performance.now();
      const { state } = enricher.handle([record]);
      slowest = Math.max(slowest, performance.now() - before);
      entries += state.length;
      for (const { value } of state) stateBytes += value?.length ?? 0;
    }
    const seconds = (performance.now() - started) / 1000;
    const { events, evicted } = enricher.stats();
    const rate = Math.round(events / seconds).toLocaleString('en');
    const each = ((seconds * 1e6) / events).toFixed(2);
    const entriesPerBatch = (entries / batches.length).toFixed(0);
    const bytesPerEntry = (stateBytes / entries).toFixed(0);
    console.log(
      `${name}, round ${round}: ${rate} events/s of ${(bytes / events).toFixed(0)} B, ` +
        `${each} µs per event (with verify and check), slowest batch ${slowest.toFixed(0)} ms, ` +
        `${entriesPerBatch} state entries of ${bytesPerEntry} B per batch, ${evicted} processes evicted`,
    );
  }
}

measure('opens', opens());
measure('storm', storms());
