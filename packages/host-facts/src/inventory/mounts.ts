import { ifReadable, readBounded } from '@ringfence/host-kit';
import { decodeText } from '@ringfence/wire';
import { parseMount } from '../host/mounts.ts';
import { procPid } from './processes.ts';
import type { InventoryMount, InventoryProcess, MountNamespace } from './types.ts';

const MAX_BYTES = 8 << 20;
const MAX_MOUNTS = 16_384;

/** Returns the mounts of each namespace as one of its processes sees them. */
export function mountNamespacesOf(processes: readonly InventoryProcess[]): MountNamespace[] {
  const byNamespace = Map.groupBy(
    processes.filter(({ namespaces }) => namespaces.mnt !== 0),
    ({ namespaces }) => namespaces.mnt,
  );
  return [...byNamespace].map(([namespace, members]) => ({
    namespace,
    pids: members.map(({ pid }) => pid),
    mounts: mountsOf(namespace, members),
  }));
}

/** Uses the first process that still exists. */
function mountsOf(namespace: number, members: readonly InventoryProcess[]): InventoryMount[] | null {
  for (const member of members) {
    const pid = procPid(member);
    const text = pid === null ? null : ifReadable(() => readBounded(`/proc/${pid}/mountinfo`, MAX_BYTES));
    if (text === null || text.length === 0) continue;
    const lines = text.toString('latin1').split('\n').slice(0, MAX_MOUNTS);
    return lines.flatMap((line) => {
      const mount = parseMount(line, namespace);
      if (mount === null) return [];
      const { device, root, point, filesystem, source, options } = mount;
      const texts = { root: decodeText(root), point: decodeText(point), source: decodeText(source) };
      return [{ device, ...texts, filesystem, options }];
    });
  }
  return null;
}
