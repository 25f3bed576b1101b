import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceName } from '@ringfence/config';
import type { ChaosCase } from '../lib/case.ts';
import type { ChaosFleet } from '../lib/fleet.ts';

const SERVICES: readonly ServiceName[] = ['enricher', 'detector', 'responder', 'auditor', 'registrar'];
const LIVES_MS = 2500;

/** One of them dies at a random moment, and is started again at once; the next moment may be before it has found its feet. */
async function killAmong(fleet: ChaosFleet, service: ServiceName, times: number): Promise<void> {
  const members = fleet.of(service);
  for (let n = 0; n < times; n++) {
    await sleep(Math.random() * LIVES_MS);
    const member = members[Math.floor(Math.random() * members.length)];
    if (member === undefined) return;
    await member.stop('SIGKILL');
    await fleet.start(member);
  }
}

const each = SERVICES.map(
  (service): ChaosCase => ({
    name: `kill-${service}`,
    title: `kill -9 of ${service}s at random moments`,
    async run(fleet, { pick, say }) {
      const times = pick(2, 50);
      await killAmong(fleet, service, times);
      say(`${times} kills among ${fleet.of(service).length}`);
    },
  }),
);

const everything: ChaosCase = {
  name: 'kill-everything',
  title: 'kill -9 of all services, each at random moments of its own',
  async run(fleet, { pick, say }) {
    const times = pick(2, 50);
    await Promise.all(SERVICES.map((service) => killAmong(fleet, service, times)));
    say(`${times * SERVICES.length} kills, ${times} of each service`);
  },
};

export const kills: readonly ChaosCase[] = [...each, everything];
