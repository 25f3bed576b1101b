import { readFileSync } from 'node:fs';
import type { Config } from '@ringfence/config';

type Wanted = Pick<Config, 'collector' | 'responder'>;

export interface Capability {
  /** include/uapi/linux/capability.h */
  readonly bit: number;
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
  { bit: 39, name: 'CAP_BPF', for: 'load the sensor' },
  { bit: 38, name: 'CAP_PERFMON', for: 'attach to tracepoints and read kernel memory' },
  { bit: 12, name: 'CAP_NET_ADMIN', for: 'attach to cgroups' },
  { bit: 2, name: 'CAP_DAC_READ_SEARCH', for: 'read tracefs, containers, logs and executables that are not its own' },
  {
    bit: 19,
    name: 'CAP_SYS_PTRACE',
    for: 'hash executables of containers, tell whom never to kill',
    when: (config) => config.collector.hash.enabled || mayKill(config),
  },
  { bit: 5, name: 'CAP_KILL', for: 'stop processes', when: mayKill },
];

export const capabilitiesFor = (config: Wanted): readonly Capability[] =>
  CAPABILITIES.filter(({ when }) => when?.(config) ?? true);

/** What stands for them here: where an engine knows no others, CAP_SYS_ADMIN for two of them. */
export function heldOf(needed: readonly Capability[]): readonly Capability[] {
  const effective = privilegesOf('self')?.effective ?? 0n;
  const held = needed.filter(({ bit }) => ((effective >> BigInt(bit)) & 1n) === 1n);
  return held.length === needed.length ? needed : [...held, SYS_ADMIN];
}

/** Has given what CAP_BPF and CAP_PERFMON give since before they were there; older container engines know no others. */
const SYS_ADMIN: Capability = { bit: 21, name: 'CAP_SYS_ADMIN', for: 'load the sensor' };
const CAP_SYS_ADMIN = 1n << BigInt(SYS_ADMIN.bit);
const IMPLIED = (1n << 39n) | (1n << 38n);

/** Those of `needed` that this process lacks. */
export function missingCapabilities(needed: readonly Capability[]): readonly Capability[] {
  const effective = privilegesOf('self')?.effective ?? 0n;
  const has = (effective & CAP_SYS_ADMIN) === 0n ? effective : effective | IMPLIED;
  return needed.filter(({ bit }) => ((has >> BigInt(bit)) & 1n) === 0n);
}

export interface Privileges {
  readonly uid: number;
  readonly effective: bigint;
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
    effective: BigInt(`0x${field('CapEff')}`),
    rssBytes: Number(field('VmRSS')) * 1024,
  };
}

/** Names of what is set, those of others than the sensor's by number: `CAP_BPF, 21`. */
export function capabilityNames(mask: bigint): string[] {
  const bits = [...mask.toString(2)].reverse().flatMap((digit, bit) => (digit === '1' ? [bit] : []));
  return bits.map((bit) => CAPABILITIES.find((one) => one.bit === bit)?.name ?? String(bit));
}
