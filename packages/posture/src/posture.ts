import type { CapabilityUse, InventoryContainer } from '@ringfence/host-facts';
import { flagsFor, judge } from './judge.ts';
import { securityContext } from './kubernetes.ts';
import type { ContainerState, Finding, UsedCapabilities } from './types.ts';

export interface ContainerPosture {
  readonly container: InventoryContainer;
  /** null when the container ended during the inspection */
  readonly state: ContainerState | null;
  readonly findings: readonly Finding[];
  /** for `docker run` and `podman run` */
  readonly flags: readonly string[];
  /** lines of YAML; empty unless the container belongs to a pod */
  readonly securityContext: readonly string[];
  /** whether an agent watched it long enough to know which capabilities it uses */
  readonly usageKnown: boolean;
}

export interface Posture {
  readonly containers: readonly ContainerPosture[];
  /** null when not requested */
  readonly host: readonly Finding[] | null;
}

/** Returns null when no agent has watched the container for at least `seconds`. */
export function capabilitiesUsedBy(
  { cgroup, startedAt }: InventoryContainer,
  use: CapabilityUse | null,
  seconds: number,
): UsedCapabilities | null {
  if (use === null) return null;
  const watched = (Date.now() - Math.max(use.since, startedAt / 1000)) / 1000;
  return watched < seconds ? null : { names: use.of(cgroup), watched };
}

export function postureOf(
  container: InventoryContainer,
  state: ContainerState | null,
  used: UsedCapabilities | null,
): ContainerPosture {
  const nothing = { container, state, findings: [], flags: [], securityContext: [], usageKnown: false };
  if (state === null) return nothing;
  const findings = judge(container, state, used);
  const flags = flagsFor(findings, state, used);
  return {
    container,
    state,
    findings,
    flags,
    securityContext: container.pod === '' ? [] : securityContext(flags, findings),
    usageKnown: used !== null,
  };
}
