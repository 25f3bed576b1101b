import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRequest, loadIdentity, writeIdentity } from '@ringfence/identity';
import type { Member } from '@ringfence/simulator';
import type { ChaosCase } from '../lib/case.ts';
import type { ChaosFleet } from '../lib/fleet.ts';

const DAY_S = 86_400;
const SOON_S = 6;

/** Issues the member a new certificate for the same signing key and roles. */
async function certify({ authority }: ChaosFleet, member: Member, seconds: number): Promise<void> {
  const directory = join(member.directory, 'state/identity');
  const present = loadIdentity(directory);
  if (present === null) throw new Error(`${member.name} is not enrolled`);
  const { subject, roles } = present;
  const { key, csr } = await createRequest(subject);
  const { certificate } = await authority.issue({ csr, subject, roles, hosts: hostsOf(roles), days: seconds / DAY_S });
  const file = (name: string): string => readFileSync(join(directory, 'current', name), 'utf8');
  writeIdentity(directory, {
    certificate,
    key,
    authority: authority.certificate,
    signingKey: file('signing.key'),
    root: file('root.pem'),
    stateKeys: file('state.key'),
  });
}

const hostsOf = (roles: readonly string[]): string[] => (roles.includes('responder') ? ['127.0.0.1'] : []);

const expired: ChaosCase = {
  name: 'expired-certificate',
  title: 'the certificates of all enrichers and of one auditor expire, and servers refuse them until they are renewed',
  async run(fleet, { pick, note }) {
    const members = [...fleet.of('enricher'), ...fleet.of('auditor').slice(0, 1)];
    for (const member of members) await certify(fleet, member, SOON_S);
    await sleep((SOON_S + 1) * 1000);
    for (const { proxy } of fleet.servers.kafka.brokers) proxy?.cut();
    await sleep(pick(12_000, 60_000));
    for (const member of members) await certify(fleet, member, 30 * DAY_S);
    note(`members: ${members.map(({ name }) => name).join(', ')}`);
  },
};

export const certificates: readonly ChaosCase[] = [expired];
