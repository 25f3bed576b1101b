import type { InventoryContainer } from '@ringfence/collector';
import type { Command } from 'commander';
import { hostFindings } from '../posture/host.ts';
import { flagsFor, judge } from '../posture/judge.ts';
import { securityContext } from '../posture/kubernetes.ts';
import { stateOf } from '../posture/state.ts';
import type { ContainerState, Finding, UsedCapabilities } from '../posture/types.ts';
import { paintFor } from '../view/paint.ts';
import { postureText } from '../view/posture.ts';
import { print, printJson, withSettings } from './context.ts';
import { idsOf, takeInventory } from './inventory.ts';

interface PostureFlags {
  readonly json?: boolean;
  readonly container?: string;
  readonly host?: boolean;
}

export interface ContainerPosture {
  readonly container: InventoryContainer;
  /** null: it ended while it was looked at */
  readonly state: ContainerState | null;
  readonly findings: readonly Finding[];
  /** for `docker run` and `podman run` */
  readonly flags: readonly string[];
  /** lines of YAML; of a pod's container only */
  readonly securityContext: readonly string[];
  /** whether it is known which capabilities it uses */
  readonly usageKnown: boolean;
}

export interface Posture {
  readonly containers: readonly ContainerPosture[];
  /** null: not asked for */
  readonly host: readonly Finding[] | null;
}

/** What a container has used is for the agent's events to say; until they do, nothing is known. */
const UNKNOWN_USE: UsedCapabilities = () => null;

export function addPosture(program: Command): void {
  const command = program
    .command('posture')
    .description('say what each running container could do to the host, and the flags to start it with instead')
    .option('--json', 'print one JSON object')
    .option('--container <id>', 'only the container of this id (or its beginning) or name')
    .option('--host', 'settings of this machine as well')
    .addHelpText(
      'after',
      `
Read from the kernel (namespaces, capabilities, filters, mounts of the container's own program), so it holds for every runtime. Needs root, no
running agent. Exit code 1 when something critical or high was found.

Examples:
  ringfence posture
  ringfence posture --container web-1
  ringfence posture --host --json | jq '.containers[].findings[] | select(.severity == "critical")'`,
    );
  withSettings(command).action((_, self: Command) => {
    const options = self.opts<PostureFlags>();
    const posture = takePosture(self, options, UNKNOWN_USE);
    if (options.json) printJson(posture, 2);
    else print(postureText(posture, paintFor(process.stdout)));
    const all = [...posture.containers.flatMap(({ findings }) => findings), ...(posture.host ?? [])];
    if (all.some(({ severity }) => severity === 'critical' || severity === 'high')) process.exitCode = 1;
  });
}

function takePosture(self: Command, { container, host }: PostureFlags, used: UsedCapabilities): Posture {
  const inventory = takeInventory(self);
  const ids = container === undefined ? null : idsOf(inventory, container);
  const containers = inventory.containers.filter(({ id }) => ids === null || ids.includes(id));
  return {
    containers: containers.map((one) => postureOf(one, stateOf(one, inventory), used)),
    host: host === true ? hostFindings() : null,
  };
}

export function postureOf(
  container: InventoryContainer,
  state: ContainerState | null,
  used: UsedCapabilities,
): ContainerPosture {
  const nothing = { container, state, findings: [], flags: [], securityContext: [], usageKnown: false };
  if (state === null) return nothing;
  const usage = used(container.id);
  const findings = judge(container, state, used);
  const flags = flagsFor(findings, state, usage);
  return {
    container,
    state,
    findings,
    flags,
    securityContext: container.pod === '' ? [] : securityContext(flags, findings),
    usageKnown: usage !== null,
  };
}
