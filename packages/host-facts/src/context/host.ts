import { closeSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import type { ContextSink, EnrichmentSource, HostFact } from '@ringfence/host-kit';
import { ifReadable, openAddressChanges, readBounded, drainAddressChanges } from '@ringfence/host-kit';

const MAX_ADDRESSES = 64;
const MACHINE_ID = /^[0-9a-f]{32}$/;

/**
 * Names and addresses of the host: read at the start, and again when the kernel tells of other addresses, or the name is another one. `hostRoot`: where its
 * file system is; `hashing`: whether its executables are hashed.
 */
export function hostSource(hostRoot = '/', hashing = false): EnrichmentSource {
  let sink: ContextSink | undefined;
  let before = '';
  let name = '';
  let changes = -1;

  function refresh(): void {
    const fact = hostFact(hostRoot, hashing);
    name = fact.hostname;
    const now = JSON.stringify(fact);
    if (now === before) return;
    before = now;
    sink?.host(fact);
  }

  return {
    name: 'host',
    start(into) {
      sink = into;
      changes = openAddressChanges();
      refresh();
    },
    tick() {
      if (drainAddressChanges(changes) || hostName() !== name) refresh();
    },
    close() {
      if (changes >= 0) closeSync(changes);
      changes = -1;
      sink = undefined;
    },
  };
}

const hostName = (): string => hostname().slice(0, 253);

export function hostFact(hostRoot: string, hashing = false): HostFact {
  const id =
    ifReadable(() => readBounded(`${hostRoot}/etc/machine-id`, 4096))
      ?.toString('latin1')
      .trim() ?? '';
  const machineId = MACHINE_ID.test(id) ? id : '';
  return { hostname: hostName(), machineId, addresses: addresses(), hashing };
}

/** Sorted: the system has no order of them. */
function addresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((ofInterface) => ofInterface ?? []);
  const others = all.filter(({ internal }) => !internal).map(({ address }) => address.split('%')[0] ?? '');
  return [...new Set(others)].sort().slice(0, MAX_ADDRESSES);
}
