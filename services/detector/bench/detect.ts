import { fileURLToPath } from 'node:url';
import { createEnricherPipeline } from '@ringfence/enricher';
import type { RuleSource } from '@ringfence/rules';
import { TOPIC } from '@ringfence/schema';
import { createTestHost, O, testRecords } from '@ringfence/testkit';
import { compileDetectorRules, createDetectorPipeline, readRuleFiles } from '../src/index.ts';

const BATCHES = 40;
const EVENTS = 5000;
const PROCESSES = 200;

/** Opens and some execs of a host where nothing is wrong, against the built-in rules, once as they are and once with all of them copied. */
const host = createTestHost();
host.snapshot(host.init, '/usr/lib/systemd/systemd');
const processes = Array.from({ length: PROCESSES }, (_, i) =>
  host.spawn(host.init, `/usr/bin/worker-${i}`, ['worker', String(i)]),
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
const enricher = createEnricherPipeline({ enrolment: { keyFor: () => host.key.publicKey } });
const values = enricher.handle(testRecords(host.hostId, batches)).outputs.flatMap(({ value }) => value ?? []);
const events = BATCHES * EVENTS;

/** The rules again under other names; macros and lists are shared, so only the first copy brings them. */
function copied(sources: readonly RuleSource[], copies: number): RuleSource[] {
  const more = Array.from({ length: copies - 1 }, (_, copy) =>
    sources
      .filter(({ name }) => !name.endsWith('common.yaml'))
      .map(({ name, text }) => ({
        name: `${copy}/${name}`,
        text: text.replace(/^- rule: *(['"]?)(.*?)\1$/gm, `- rule: '$2 ${copy}'`),
      })),
  );
  return [...sources, ...more.flat()];
}

const builtin = await readRuleFiles([fileURLToPath(new URL('../../../rules', import.meta.url))]);
for (const copies of [1, 20]) {
  const rules = compileDetectorRules(copied(builtin, copies));
  for (let round = 1; round <= 2; round++) {
    const detector = createDetectorPipeline({ rules });
    const records = testRecords(host.hostId, values, TOPIC.events);
    const started = performance.now();
    for (const record of records) detector.handle([record]);
    const seconds = (performance.now() - started) / 1000;
    const { alerts } = detector.stats();
    const rate = Math.round(events / seconds).toLocaleString('en');
    console.log(
      `${rules.rules.length} rules, round ${round}: ${rate} events/s, ${((seconds * 1e6) / events).toFixed(2)} µs an event, ${alerts} alerts`,
    );
  }
}
