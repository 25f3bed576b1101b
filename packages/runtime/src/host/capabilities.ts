import { readFileSync } from 'node:fs';
import type { Config } from '@ringfence/config';
import { capabilityNames } from '@ringfence/fields';
import { u64FromBigInt } from '@ringfence/wire';

type Wanted = Pick<Config, 'collector' | 'responder'>;

export interface Capability {
  readonly name: string;
  /** what can't be done without it, in words */
  readonly for: string;
  /** @default always */
  readonly when?: (config: Wanted) => boolean;
}

/** Whether anything may be killed here: rules ask for it everywhere, or policies of the user's own may. The built-in ones enforce in the demo only. */
const mayKill = ({ responder: { mode, policies } }: Wanted): boolean =>
  mode === 'enforce' || policies.some((path) => path !== 'builtin');

/** What the sensor's process needs, and nothing else of Ringfence does. Each was found by leaving it out. */
const CAPABILITIES: readonly Capability[] = [
  { name: 'CAP_BPF', for: 'load the sensor' },
  { name: 'CAP_PERFMON', for: 'attach to tracepoints and read kernel memory' },
  { name: 'CAP_NET_ADMIN', for: 'attach to cgroups' },
  { name: 'CAP_DAC_READ_SEARCH', for: 'read tracefs, containers, logs and executables that are not its own' },
  {
    name: 'CAP_SYS_PTRACE',
    for: 'hash executables of containers, tell whom never to kill',
    when: (config) => config.collector.hash.enabled || mayKill(config),
  },
  { name: 'CAP_KILL', for: 'stop processes', when: mayKill },
];

export const capabilitiesFor = (config: Wanted): readonly Capability[] =>
  CAPABILITIES.filter(({ when }) => when?.(config) ?? true);

/** Gives what BPF and PERFMON give, since before they were there: container engines may know no others. */
const STAND_IN: Capability = { name: 'CAP_SYS_ADMIN', for: 'load the sensor' };
const STANDS_FOR: readonly string[] = ['CAP_BPF', 'CAP_PERFMON'];

/** What a process with the capabilities `held` gives on, so that another has all that is `needed`: the stand-in only where it is. */
export function capabilitiesToGive(
  needed: readonly Capability[],
  held: readonly string[] = ownCapabilities(),
): readonly Capability[] {
  const own = needed.filter(({ name }) => held.includes(name));
  const stands = needed.some(({ name }) => STANDS_FOR.includes(name) && !held.includes(name));
  return stands ? [...own, STAND_IN] : own;
}

/** Those of `needed` that a process with the capabilities `held` lacks. */
export function missingCapabilities(
  needed: readonly Capability[],
  held: readonly string[] = ownCapabilities(),
): readonly Capability[] {
  const has = held.includes(STAND_IN.name) ? [...held, ...STANDS_FOR] : held;
  return needed.filter(({ name }) => !has.includes(name));
}

const ownCapabilities = (): readonly string[] => privilegesOf('self')?.capabilities ?? [];

export interface Privileges {
  readonly uid: number;
  /** those in effect */
  readonly capabilities: readonly string[];
  readonly rssBytes: number;
}

/** null: there is no such process. */
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
