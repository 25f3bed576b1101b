import { OperatorError, paintFor } from '@ringfence/base';
import type { Inventory } from '@ringfence/collector';
import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import { numberOf, PID_MAX, print, printJson, withSettings } from '../shared/context.ts';
import { idsOf, takeInventory } from '../shared/inventory.ts';
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

function filtered(inventory: Inventory, flags: InventoryFlags): Inventory {
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
