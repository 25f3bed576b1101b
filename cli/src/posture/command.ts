import { OperatorError, paintFor } from '@ringfence/base';
import { readCapabilityUse } from '@ringfence/collector';
import { capabilitiesUsedBy, containerStateOf, hostFindings, type Posture, postureOf } from '@ringfence/posture';
import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import { idsOf, takeInventory } from '../inventory/command.ts';
import { print, printJson, settingsOf, withSettings } from '../shared/context.ts';
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
    .option('--container <id>', 'only the container of this id (or its beginning) or name')
    .option('--host', 'settings of this machine as well')
    .option(
      '--watched-for <minutes>',
      'say which capabilities are unused once a running agent has watched that long',
      '10',
    )
    .addHelpText(
      'after',
      `
Read from the kernel (namespaces, capabilities, filters, mounts of the container's own program), so it holds for every runtime. Needs root, no
running agent. Where one runs (kernel 6.14 or newer), it also says which capabilities a container has that it does not use. Exit code 1 when something
critical or high was found.

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
    const all = [...posture.containers.flatMap(({ findings }) => findings), ...(posture.host ?? [])];
    if (all.some(({ severity }) => severity === 'critical' || severity === 'high')) process.exitCode = 1;
  });
}

function takePosture(self: Command, { container, host, watchedFor }: PostureFlags): Posture {
  const minutes = Number(watchedFor);
  if (!(minutes >= 0)) throw new OperatorError(`--watched-for ${watchedFor}: expected minutes, 0 or more`);
  const inventory = takeInventory(self);
  const use = readCapabilityUse(settingsOf(self).sensor.pinPath);
  const ids = container === undefined ? null : idsOf(inventory, container);
  const containers = inventory.containers.filter(({ id }) => ids === null || ids.includes(id));
  return {
    containers: containers.map((running) =>
      postureOf(running, containerStateOf(running, inventory), capabilitiesUsedBy(running, use, minutes * 60)),
    ),
    host: host === true ? hostFindings() : null,
  };
}
