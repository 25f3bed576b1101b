import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type AgentProcess, BARRIER_OBJECT, Barrier, barrierPins } from '@ringfence/barrier';
import { type Log, messageOf } from '@ringfence/base';
import { bootMicros } from '@ringfence/host-kit';
import {
  type AnyKind,
  blockKind,
  isolateKind,
  type JournalEntry,
  type NetworkDeps,
  networkActions,
  refusingKind,
} from '@ringfence/response';

const NS_PER_US = 1000;

export interface NetworkOptions {
  readonly sensorObject: string;
  readonly pinPath: string;
  /** Root of the cgroup v2 hierarchy; null: there is none */
  readonly cgroupRoot: string | null;
  readonly boot: string;
  /** The processes whose connections always pass */
  readonly agents: readonly AgentProcess[];
  /** Whether commands may ask for these actions */
  readonly isEnabled: boolean;
  /** The journal's */
  readonly entries: readonly JournalEntry[];
  readonly log: Log;
}

/**
 * Returns the actions on the network, with what they hold in the kernel: what the journal has is in force again. A
 * kernel that can't hold them is reported, and each order is refused with the reason.
 */
export function networkKinds(
  options: NetworkOptions,
  processes: Pick<NetworkDeps, 'find' | 'list'>,
): { readonly kinds: AnyKind[]; readonly barrier: Barrier | null } {
  const { cgroupRoot, boot, entries, isEnabled, log } = options;
  const pins = barrierPins(options.pinPath);
  if (!isEnabled && !existsSync(pins)) return { kinds: [], barrier: null };
  try {
    if (cgroupRoot === null) throw new Error('no cgroup v2 hierarchy is mounted');
    const objectPath = join(dirname(options.sensorObject), BARRIER_OBJECT);
    const actions = networkActions(entries, { boot, bootTimeOf });
    const barrier = Barrier.open({ objectPath, pins, cgroupRoot, agents: options.agents }, actions);
    const deps = { ...processes, barrier, cgroupRoot, boot, bootTimeOf };
    return { kinds: [blockKind(deps), isolateKind(deps)], barrier };
  } catch (error) {
    const reason = (messageOf(error).split('\n')[0] ?? '').slice(0, 500);
    log.error({ reason }, 'this kernel cannot block addresses or isolate: such orders are refused');
    return { kinds: [refusingKind('block', reason), refusingKind('isolate', reason)], barrier: null };
  }
}

/** ns, CLOCK_BOOTTIME, at a time in µs since the epoch. */
const bootTimeOf = (micros: number): bigint =>
  BigInt(Math.max(0, Math.trunc(bootMicros() + micros - Date.now() * 1000))) * BigInt(NS_PER_US);
