import { OperatorError, paintFor } from '@ringfence/base';
import { readCapabilityUse } from '@ringfence/host-facts';
import { capabilitiesUsedBy, containerStateOf, hostFindings, type Posture, postureOf } from '@ringfence/posture';
import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import { print, printJson, settingsOf, withSettings } from '../shared/context.ts';
import { containerIdsOf, takeInventory } from '../shared/inventory.ts';
import { postureText } from './view.ts';

interface PostureFlags {
  readonly json?: boolean;
  readonly container?: string;
  readonly host?: boolean;
  readonly watchedFor: string;
}

export function addPosture(program: Command): void {
  const command = program
    .command('posture')
    .description(DESCRIPTIONS.posture)
    .option('--json', 'print one JSON object')
    .option('--container <id>', 'only the container with this id, id prefix or name')
    .option('--host', 'also check the settings of this machine')
    .option(
      '--watched-for <minutes>',
      'report unused capabilities of containers that an agent has watched for this long',
      '10',
    )
    .addHelpText(
      'after',
      `
Reads the namespaces, capabilities, seccomp filters and mounts of each container's main process from the kernel, so it
works with every runtime. Needs root, but no running agent. If an agent is running (kernel 6.14 or newer), it also
reports the capabilities that a container has but does not use.

Exit code 1 if a finding is critical or high.

Examples:
  ringfence posture
  ringfence posture --container web-1
  ringfence posture --host --json | jq '.containers[].findings[] | select(.severity == "critical")'`,
    );
  withSettings(command).action((_, self: Command) => {
    const options = self.opts<PostureFlags>();
    const posture = takePosture(self, options);
    if (options.json) printJson(posture, 2);
    else print(postureText(posture, paintFor(process.stdout)));
    const findings = [...posture.containers.flatMap((container) => container.findings), ...(posture.host ?? [])];
    if (findings.some(({ severity }) => severity === 'critical' || severity === 'high')) process.exitCode = 1;
  });
}

function takePosture(self: Command, { container: wanted, host, watchedFor }: PostureFlags): Posture {
  const minutes = Number(watchedFor);
  if (!(minutes >= 0)) throw new OperatorError(`--watched-for ${watchedFor}: expected minutes, 0 or more`);
  const inventory = takeInventory(self);
  const use = readCapabilityUse(settingsOf(self).sensor.pinPath);
  const ids = wanted === undefined ? null : containerIdsOf(inventory, wanted);
  const containers = inventory.containers.filter(({ id }) => ids === null || ids.includes(id));
  return {
    containers: containers.map((container) =>
      postureOf(container, containerStateOf(container, inventory), capabilitiesUsedBy(container, use, minutes * 60)),
    ),
    host: host === true ? hostFindings() : null,
  };
}
