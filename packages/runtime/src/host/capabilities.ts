import { readFileSync } from 'node:fs';
import type { Config } from '@ringfence/config';
import { capabilityNames } from '@ringfence/fields';
import { u64FromBigInt } from '@ringfence/wire';

type Settings = Pick<Config, 'collector' | 'responder'>;

export interface Capability {
  readonly name: string;
  /** Operation that fails without it, as a verb phrase: "load the sensor". */
  readonly for: string;
  /** Whether these settings need it. @default always */
  readonly when?: (config: Settings) => boolean;
}

/** Processes may be killed in mode `enforce`, or by policies or playbooks; built-in ones enforce in the demo only. */
const mayKill = ({ responder: { mode, policies, playbooks } }: Settings): boolean =>
  mode === 'enforce' || [...policies, ...playbooks].some((path) => path !== 'builtin');

/** Capabilities of the process that runs the sensor; no other process needs any. A run without each one has failed. */
const CAPABILITIES: readonly Capability[] = [
  { name: 'CAP_BPF', for: 'load the sensor' },
  { name: 'CAP_PERFMON', for: 'attach to tracepoints and read kernel memory' },
  { name: 'CAP_NET_ADMIN', for: 'attach to cgroups' },
  { name: 'CAP_DAC_READ_SEARCH', for: 'read tracefs, containers, logs and executables of other users' },
  {
    name: 'CAP_SYS_PTRACE',
    for: 'hash executables of containers and recognize protected processes',
    when: (config) => config.collector.hash.enabled || mayKill(config),
  },
  { name: 'CAP_KILL', for: 'stop processes', when: mayKill },
];

/** Returns the capabilities that the sensor's process needs with these settings. */
export const capabilitiesFor = (config: Settings): readonly Capability[] =>
  CAPABILITIES.filter(({ when }) => when?.(config) ?? true);

/** Includes BPF and PERFMON, which were split from it later: a container engine may not know the newer names. */
const SYS_ADMIN: Capability = { name: 'CAP_SYS_ADMIN', for: 'load the sensor' };
const INCLUDED_IN_SYS_ADMIN: readonly string[] = ['CAP_BPF', 'CAP_PERFMON'];

/**
 * Returns the capabilities that a process with `held` must pass on so that another process has every needed one.
 * SYS_ADMIN is among them only when BPF or PERFMON is not held.
 */
export function capabilitiesToGive(
  needed: readonly Capability[],
  held: readonly string[] = effectiveCapabilities(),
): readonly Capability[] {
  const given = needed.filter(({ name }) => held.includes(name));
  const needsSysAdmin = needed.some(({ name }) => INCLUDED_IN_SYS_ADMIN.includes(name) && !held.includes(name));
  return needsSysAdmin ? [...given, SYS_ADMIN] : given;
}

/** Returns the needed capabilities that a process with the capabilities `held` lacks. */
export function missingCapabilities(
  needed: readonly Capability[],
  held: readonly string[] = effectiveCapabilities(),
): readonly Capability[] {
  const available = held.includes(SYS_ADMIN.name) ? [...held, ...INCLUDED_IN_SYS_ADMIN] : held;
  return needed.filter(({ name }) => !available.includes(name));
}

const effectiveCapabilities = (): readonly string[] => privilegesOf('self')?.capabilities ?? [];

export interface Privileges {
  readonly uid: number;
  /** Effective capabilities. */
  readonly capabilities: readonly string[];
  readonly rssBytes: number;
}

/** Returns null when there is no such process. */
export function privilegesOf(pid: number | 'self'): Privileges | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/status`, 'latin1');
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  }
  const field = (name: string): string => new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(text)?.[1] ?? '0';
  return {
    uid: Number(field('Uid')),
    capabilities: capabilityNames(u64FromBigInt(BigInt(`0x${field('CapEff')}`))),
    rssBytes: Number(field('VmRSS')) * 1024,
  };
}
