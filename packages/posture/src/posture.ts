import type { CapabilityUse, InventoryContainer } from '@ringfence/host-facts';
import { containerFindings } from './container-findings.ts';
import { securityContextFor, startFlagsFor } from './start-flags.ts';
import type { ContainerState, Finding, UsedCapabilities } from './types.ts';

export interface ContainerPosture {
  readonly container: InventoryContainer;
  /** Null when the container ended during the inspection. */
  readonly state: ContainerState | null;
  /** Worst first. */
  readonly findings: readonly Finding[];
  /** Flags of `docker run` and `podman run` to start the container with instead. */
  readonly flags: readonly string[];
  /** Lines of YAML; empty unless the container belongs to a pod. */
  readonly securityContext: readonly string[];
  /** Whether an agent watched the container long enough to know which capabilities it uses. */
  readonly usageKnown: boolean;
}

/** The result of `ringfence posture`; its properties are those of `--json`. */
export interface Posture {
  readonly containers: readonly ContainerPosture[];
  /** Null when not requested. */
  readonly host: readonly Finding[] | null;
}

/** Returns null when no agent has watched the container for at least `minSeconds`. */
export function capabilitiesUsedBy(
  { cgroup, startedAt }: InventoryContainer,
  use: CapabilityUse | null,
  minSeconds: number,
): UsedCapabilities | null {
  if (use === null) return null;
  const watchedSeconds = (Date.now() - Math.max(use.since, startedAt / 1000)) / 1000;
  return watchedSeconds < minSeconds ? null : { names: use.of(cgroup), watchedSeconds };
}

export function postureOf(
  container: InventoryContainer,
  state: ContainerState | null,
  used: UsedCapabilities | null,
): ContainerPosture {
  if (state === null) return { container, state, findings: [], flags: [], securityContext: [], usageKnown: false };
  const findings = containerFindings(container, state, used);
  const flags = startFlagsFor(findings, state, used);
  return {
    container,
    state,
    findings,
    flags,
    securityContext: container.pod === '' ? [] : securityContextFor(flags, findings),
    usageKnown: used !== null,
  };
}
