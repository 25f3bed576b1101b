import { join } from 'node:path';
import { OperatorError, paintFor } from '@ringfence/base';
import { sensorObject } from '@ringfence/config';
import { type Inventory, readInventory } from '@ringfence/host-facts';
import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import { needRoot, numberOf, PID_MAX, print, printJson, settingsOf, withSettings } from '../shared/context.ts';
import { inventoryText } from './view.ts';

interface InventoryFlags {
  readonly json?: boolean;
  readonly container?: string;
  readonly pid?: string;
  readonly mounts?: boolean;
}

export function addInventory(program: Command): void {
  const command = program
    .command('inventory')
    .description(DESCRIPTIONS.inventory)
    .option('--json', 'print one JSON object, mounts of each namespace included')
    .option('--container <id>', 'only what belongs to the container of this id (or its beginning) or name')
    .option('--pid <n>', 'only this process')
    .option('--mounts', 'show mounts as well')
    .addHelpText(
      'after',
      `
Needs root, no running agent: it loads two iterators for a moment and attaches nothing. They read the kernel's own lists, so a process that hides
from /proc is shown, and marked.

Examples:
  ringfence inventory
  ringfence inventory --container web-1 --mounts
  ringfence inventory --json | jq '.processes[] | select(.hidden)'`,
    );
  withSettings(command).action((_, self: Command) => {
    const options = self.opts<InventoryFlags>();
    const shown = filtered(takeInventory(self), options);
    if (options.json) printJson(shown, 2);
    else print(inventoryText(shown, options.mounts === true, paintFor(process.stdout)));
  });
}

/** Of this machine, now. */
export function takeInventory(self: Command): Inventory {
  const config = settingsOf(self);
  needRoot('reading what runs from the kernel', `sudo ringfence ${self.name()}`);
  const { hostRoot, dockerRoots } = config.collector;
  return readInventory({
    sensorObject: sensorObject(),
    containerFiles: [join(config.runDir, 'containers.d')],
    roots: { root: hostRoot, dockerRoots },
  });
}

export function filtered(inventory: Inventory, flags: InventoryFlags): Inventory {
  const { container } = flags;
  if (container === undefined && flags.pid === undefined) return inventory;
  const pid = flags.pid === undefined ? null : numberOf('--pid', flags.pid, 1, PID_MAX);
  const ids = container === undefined ? null : idsOf(inventory, container);
  const processes = inventory.processes
    .filter((one) => ids === null || (one.container !== null && ids.includes(one.container)))
    .filter((one) => pid === null || one.pid === pid);
  if (pid !== null && processes.length === 0) throw new OperatorError(`there is no process ${pid}`);
  const namespaces = new Set(processes.map(({ namespaces: { mnt } }) => mnt));
  const inside = new Set(processes.map((one) => one.container));
  return {
    processes,
    mountNamespaces: inventory.mountNamespaces.filter(({ namespace }) => namespaces.has(namespace)),
    containers: inventory.containers.filter(({ id }) => inside.has(id) || ids?.includes(id)),
  };
}

/** By name, or by an id or its beginning. */
export function idsOf({ containers }: Inventory, wanted: string): string[] {
  const ids = containers.filter(({ id, name }) => name === wanted || id.startsWith(wanted)).map(({ id }) => id);
  if (ids.length === 0) {
    const known = containers.map(({ id, name }) => name || id.slice(0, 12));
    throw new OperatorError(`no container ${wanted} runs${known.length > 0 ? `: there are ${known.join(', ')}` : ''}`);
  }
  return ids;
}
