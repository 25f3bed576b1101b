import { fileURLToPath } from 'node:url';
import type { BenchContext } from '../lib/context.ts';
import { count, mib } from '../lib/figures.ts';
import { residentBytes } from '../lib/usage.ts';
import { Child } from './child.ts';
import type { Fed } from './flow.ts';
import type { MeasuredFleet } from './measured-fleet.ts';

const SCRIPT = fileURLToPath(new URL('./many.ts', import.meta.url));
const HOSTS = 1000;
const STEPS = 48;
const MIB = 2 ** 20;
/** Memory growth that is allowed in the second half of the day, because garbage may not be collected yet */
const MAX_GROWTH_BYTES = 96 * MIB;
const SERVICES = ['enricher', 'detector', 'auditor', 'responder'];

/** Plays a day of 1,000 hosts: the services' state must not grow with time, and every event must be processed. */
export async function manyHosts({ report }: BenchContext, fleet: MeasuredFleet): Promise<void> {
  await using child = new Child('many hosts', [SCRIPT, fleet.adminFile, fleet.authority, String(HOSTS)]);
  await child.answer();
  const before = await fleet.counts();
  const members = fleet.members.all.filter(
    ({ name, pid }) => pid !== undefined && SERVICES.some((service) => name.startsWith(service)),
  );
  const resident = (): number[] => members.map(({ pid }) => residentBytes(pid ?? -1, 'VmRSS'));
  let [events, maxLag] = [0, 0];
  let half: number[] = [];
  const cpuBefore = fleet.cpu();
  const began = performance.now();
  for (let step = 0; step < STEPS; step++) {
    events += (await child.ask<Fed>('step')).events;
    if (step % 8 === 7) maxLag = Math.max(maxLag, (await fleet.counts()).lag);
    if (step === STEPS / 2 - 1) {
      await fleet.drain(before, events);
      half = resident();
    }
  }
  const after = await fleet.drain(before, events);
  const seconds = (performance.now() - began) / 1000;
  const full = resident();
  const batches = HOSTS * STEPS;
  const cpu = [...fleet.cpu()].map(([name, s]): [string, number] => [
    name,
    ((s - (cpuBefore.get(name) ?? 0)) / batches) * 1e6,
  ]);
  for (const [i, { name }] of members.entries())
    if ((full[i] ?? 0) - (half[i] ?? 0) > MAX_GROWTH_BYTES)
      report.fail(`${name} grew from ${mib(half[i] ?? 0)} to ${mib(full[i] ?? 0)} in the second half of the day`);
  report.table({
    title: `24 h of ${count(HOSTS)} hosts: every half hour each runs five programs that open four files each`,
    columns: [
      'events',
      'took',
      'events/s',
      'largest lag',
      'lag at the end',
      'processes known',
      'missing',
      ...members.map(({ name }) => name),
    ],
    rows: [
      [
        count(events),
        `${seconds.toFixed(0)} s`,
        count(events / seconds),
        count(maxLag),
        count(after.lag),
        count(after.enricher.processes),
        count(after.enricher.missing - before.enricher.missing),
        ...members.map((_, i) => `${mib(half[i] ?? 0)} → ${mib(full[i] ?? 0)}`),
      ],
    ],
    notes: [
      'columns of services: memory (RSS) after half the day and after the whole day',
      `CPU time per batch of ${(events / batches).toFixed(0)} events, µs: ${cpu.map(([name, micros]) => `${name} ${micros.toFixed(0)}`).join(' · ')}`,
    ],
  });
}
