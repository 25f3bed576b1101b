import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceName } from '@ringfence/config';
import type { ChaosCase } from '../lib/case.ts';

const SERVICES: readonly ServiceName[] = ['enricher', 'detector', 'responder', 'auditor', 'registrar'];
const LIVES_MS = 2500;

/** A process of the service dies at a random moment, and is started again at once; the next moment may be before it has found its feet. */
export const kills: readonly ChaosCase[] = SERVICES.map((service) => ({
  name: `kill-${service}`,
  title: `kill -9 of ${service}s at random moments`,
  async run(fleet, { pick, say }) {
    const members = fleet.of(service);
    const times = pick(2, 50);
    for (let n = 0; n < times; n++) {
      await sleep(Math.random() * LIVES_MS);
      const member = members[Math.floor(Math.random() * members.length)];
      if (member === undefined) continue;
      await member.stop('SIGKILL');
      await fleet.start(member);
    }
    say(`${times} kills among ${members.map(({ name }) => name).join(', ')}`);
  },
}));
