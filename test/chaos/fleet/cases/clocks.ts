import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Member } from '@ringfence/simulator';
import type { ChaosCase } from '../lib/case.ts';
import type { ChaosFleet } from '../lib/fleet.ts';

const OFF_S = 600;
const SOURCE = new URL('../programs/clock.c', import.meta.url).pathname;

/** Restarts the member with a wall clock that is `seconds` ahead. */
async function restart(fleet: ChaosFleet, member: Member, library: string, seconds: number): Promise<void> {
  await member.stop();
  process.env['LD_PRELOAD'] = library;
  process.env['CHAOS_CLOCK_AHEAD'] = String(seconds);
  // `start` spawns the process before it first awaits, so the environment can be restored at once.
  const started = fleet.start(member);
  delete process.env['LD_PRELOAD'];
  delete process.env['CHAOS_CLOCK_AHEAD'];
  await started;
}

const off: ChaosCase = {
  name: 'clock-off',
  title: 'of each service, one instance is 10 min ahead and one 10 min behind; so are two hosts',
  async run(fleet, { pick }) {
    const library = join(fleet.directory, 'clock.so');
    execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, SOURCE, '-ldl']);
    for (const seconds of [OFF_S, -OFF_S]) {
      const agent = await fleet.addAgent(seconds);
      agent.begin();
    }
    const services = ['enricher', 'detector', 'auditor'] as const;
    for (const service of services) {
      const [first, second] = fleet.of(service);
      if (first !== undefined) await restart(fleet, first, library, OFF_S);
      if (second !== undefined) await restart(fleet, second, library, -OFF_S);
    }
    await sleep(pick(5000, 60_000));
    for (const service of services)
      for (const member of fleet.of(service)) {
        await member.stop();
        await fleet.start(member);
      }
  },
};

export const clocks: readonly ChaosCase[] = [off];
