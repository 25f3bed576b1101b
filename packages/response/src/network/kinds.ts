import { type Barrier, type BarrierAction, type BarrierRule, HOST, NEVER } from '@ringfence/barrier';
import type { z } from 'zod';
import type { ActionKind, ActionOutcome, ActionRequest, Plan } from '../action.ts';
import { ActionRefusedError } from '../errors.ts';
import type { JournalEntry } from '../journal.ts';
import type { FoundProcess } from '../processes/protected.ts';
import type { LivingTarget } from '../processes/reach.ts';
import { cgroupOf, type HostCgroup } from './cgroup.ts';
import { lossOf } from './loss.ts';
import { packetSocketHolders } from './packet-sockets.ts';
import {
  type BlockParameters,
  blockParameters,
  type IsolateParameters,
  isolateParameters,
  type ScopeParameters,
} from './parameters.ts';
import { rulesOf, ruleText, type SavedRules, savedRule, savedRules } from './rules.ts';
import { ownNetworks, refusalOf } from './targets.ts';

export interface NetworkDeps {
  readonly barrier: Barrier;
  readonly find: (pid: number) => (FoundProcess & LivingTarget) | null;
  /** All processes. */
  readonly list: () => readonly (FoundProcess & LivingTarget)[];
  /** Root of the cgroup v2 hierarchy */
  readonly cgroupRoot: string;
  readonly boot: string;
  /** ns, CLOCK_BOOTTIME, at a time in µs since the epoch */
  readonly bootTimeOf: (micros: number) => bigint;
}

/** Blocks an address, a network, a port of it, or a domain with those below it. */
export function blockKind(deps: NetworkDeps): ActionKind<BlockParameters, BarrierAction, SavedRules> {
  return networkKind(deps, 'block', blockParameters, (parameters, inScope) => {
    const { address, domain: name, port: number = 0 } = parameters;
    if (name !== undefined) return [{ what: 'block-domain', scope: inScope, domain: name }];
    if (address === undefined) throw new ActionRefusedError('unreadable', 'expected address or domain');
    const refusal = refusalOf(address, ownNetworks());
    if (refusal !== null) throw new ActionRefusedError('protected', refusal);
    return [{ what: 'block', scope: inScope, network: address, port: number }];
  });
}

/** Cuts a host, or a cgroup such as a container, off from every address but those that are allowed. */
export function isolateKind(deps: NetworkDeps): ActionKind<IsolateParameters, BarrierAction, SavedRules> {
  return networkKind(deps, 'isolate', isolateParameters, ({ allow = [], resolve = [] }, inScope) => [
    ...allow.map((item): BarrierRule => ({ what: 'allow', scope: inScope, network: item, port: 0 })),
    ...resolve.map((name): BarrierRule => ({ what: 'resolve', scope: inScope, domain: name })),
    { what: 'isolate', scope: inScope },
  ]);
}

/** The actions of the journal whose rules are in force. A broken entry is left out: its file stays for a person. */
export function networkActions(
  entries: readonly JournalEntry[],
  { boot, bootTimeOf }: Pick<NetworkDeps, 'boot' | 'bootTimeOf'>,
): BarrierAction[] {
  return entries.flatMap(({ kind, state, inverse, until }) => {
    if (state === 'over' || !['block', 'isolate'].includes(kind)) return [];
    const saved = savedRules.safeParse(inverse);
    if (!saved.success) return [];
    return [
      { id: saved.data.command, rules: rulesOf(saved.data, boot), until: until === 0 ? NEVER : bootTimeOf(until) },
    ];
  });
}

function networkKind<P extends ScopeParameters>(
  deps: NetworkDeps,
  name: string,
  parameters: z.ZodType<P>,
  rulesFor: (parameters: P, scope: bigint) => BarrierRule[],
): ActionKind<P, BarrierAction, SavedRules> {
  return {
    name,
    parameters,
    inverse: savedRules,
    plan: async (given, request) => planOf(deps, request, given, (inScope) => rulesFor(given, inScope)),
    apply: ({ work }) => apply(deps.barrier, work),
    undo: async ({ command }) => {
      deps.barrier.remove(command);
      return { outcome: 'executed', reason: '', facts: {} };
    },
  };
}

function planOf(
  deps: NetworkDeps,
  { id, until }: ActionRequest,
  { pid, start }: ScopeParameters,
  rulesFor: (scope: bigint) => BarrierRule[],
): Plan<BarrierAction, SavedRules> {
  const target: HostCgroup | null = pid === undefined ? null : cgroupOf(deps, pid, BigInt(start ?? 0));
  const rules = rulesFor(target?.id ?? HOST);
  const isolates = rules.some(({ what }) => what === 'isolate');
  const inside = deps.list().filter(({ cgroup }) => target === null || target.ids.has(cgroup));
  return {
    targets: rules.map((rule) => `${ruleText(rule)}${target === null ? '' : ` in cgroup ${target.path}`}`),
    radius: { ...lossOf(rules, inside, target !== null) },
    spared: ["loopback, and ringfence's own connections", ...(isolates ? packetSocketHolders(inside) : [])],
    work: { id, rules, until: until === 0 ? NEVER : deps.bootTimeOf(until) },
    inverse: { command: id, boot: deps.boot, rules: rules.map(savedRule) },
  };
}

async function apply(barrier: Barrier, action: BarrierAction): Promise<ActionOutcome> {
  barrier.add(action);
  if (!barrier.holds(action.id)) return { outcome: 'failed', reason: 'the kernel does not hold the rules', facts: {} };
  return { outcome: 'executed', reason: '', facts: { rules: String(action.rules.length) } };
}
