import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceName } from '@ringfence/config';
import type { ChaosCase } from '../lib/case.ts';
import type { ChaosFleet } from '../lib/fleet.ts';

const SERVICES: readonly ServiceName[] = ['enricher', 'detector', 'responder', 'auditor', 'registrar'];
const MAX_UPTIME_MS = 2500;

/** Kills a random instance at a random moment and restarts it at once. The next kill may come before it is ready. */
async function killAmong(fleet: ChaosFleet, service: ServiceName, times: number): Promise<void> {
  const members = fleet.of(service);
  for (let n = 0; n < times; n++) {
    await sleep(Math.random() * MAX_UPTIME_MS);
    const member = members[Math.floor(Math.random() * members.length)];
    if (member === undefined) return;
    await member.stop('SIGKILL');
    await fleet.start(member);
  }
}

const each = SERVICES.map(
  (service): ChaosCase => ({
    name: `kill-${service}`,
    title: `${service}s are killed with SIGKILL at random moments`,
    async run(fleet, { pick, note }) {
      const times = pick(2, 50);
      await killAmong(fleet, service, times);
      note(`${times} kills, ${fleet.of(service).length} instances`);
    },
  }),
);

const everything: ChaosCase = {
  name: 'kill-everything',
  title: 'all services are killed with SIGKILL, each at its own random moments',
  async run(fleet, { pick, note }) {
    const times = pick(2, 50);
    await Promise.all(SERVICES.map((service) => killAmong(fleet, service, times)));
    note(`${times * SERVICES.length} kills, ${times} of each service`);
  },
};

export const kills: readonly ChaosCase[] = [...each, everything];
