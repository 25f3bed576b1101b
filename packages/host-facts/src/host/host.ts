import { closeSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import {
  type ContextSink,
  drainAddressChanges,
  type EnrichmentSource,
  type HostFact,
  ifReadable,
  openAddressChanges,
  readBounded,
} from '@ringfence/host-kit';

const MAX_ADDRESSES = 64;
const MACHINE_ID = /^[0-9a-f]{32}$/;

/**
 * Emits name and addresses of the host at the start, and again when one of them changes.
 * @param hostRoot root of the host's file system
 * @param hashing whether executables are hashed
 */
export function hostSource(hostRoot = '/', hashing = false): EnrichmentSource {
  let sink: ContextSink | undefined;
  let previous = '';
  let name = '';
  let changes = -1;

  function refresh(): void {
    const fact = hostFact(hostRoot, hashing);
    name = fact.hostname;
    const current = JSON.stringify(fact);
    if (current === previous) return;
    previous = current;
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

/** Sorted, because the system returns them in no particular order. */
function addresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((ofInterface) => ofInterface ?? []);
  const external = all.filter(({ internal }) => !internal).map(({ address }) => address.split('%')[0] ?? '');
  return [...new Set(external)].sort().slice(0, MAX_ADDRESSES);
}
