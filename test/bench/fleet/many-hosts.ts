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
/** What memory may grow by in the second half of the day: garbage that was not collected yet. */
const GROWTH_BYTES = 96 * MIB;
const SERVICES = ['enricher', 'detector', 'auditor', 'responder'];

/** A day of 1,000 hosts: what the services remember must not grow with it, and nothing may be left over. */
export async function manyHosts({ report }: BenchContext, place: MeasuredFleet): Promise<void> {
  await using child = new Child('many hosts', [SCRIPT, place.adminFile, place.authority, String(HOSTS)]);
  await child.answer();
  const before = await place.counts();
  const members = place.members.all.filter(
    ({ name, pid }) => pid !== undefined && SERVICES.some((one) => name.startsWith(one)),
  );
  const resident = (): number[] => members.map(({ pid }) => residentBytes(pid ?? -1, 'VmRSS'));
  let [events, most] = [0, 0];
  let half: number[] = [];
  const cpuBefore = place.cpu();
  const began = performance.now();
  for (let step = 0; step < STEPS; step++) {
    events += (await child.ask<Fed>('step')).events;
    if (step % 8 === 7) most = Math.max(most, (await place.counts()).lag);
    if (step === STEPS / 2 - 1) {
      await place.drain(before, events);
      half = resident();
    }
  }
  const after = await place.drain(before, events);
  const seconds = (performance.now() - began) / 1000;
  const full = resident();
  const batches = HOSTS * STEPS;
  const cpu = [...place.cpu()].map(([name, s]): [string, number] => [
    name,
    ((s - (cpuBefore.get(name) ?? 0)) / batches) * 1e6,
  ]);
  for (const [i, { name }] of members.entries())
    if ((full[i] ?? 0) - (half[i] ?? 0) > GROWTH_BYTES)
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
        count(most),
        count(after.lag),
        count(after.enricher.processes),
        count(after.enricher.missing - before.enricher.missing),
        ...members.map((_, i) => `${mib(half[i] ?? 0)} → ${mib(full[i] ?? 0)}`),
      ],
    ],
    notes: [
      'under the services: memory (RSS) after half the day and after all of it',
      `CPU for each batch of ${(events / batches).toFixed(0)} events, µs: ${cpu.map(([name, micros]) => `${name} ${micros.toFixed(0)}`).join(' · ')}`,
    ],
  });
}
