import { OperatorError, paintFor } from '@ringfence/base';
import type { Inventory } from '@ringfence/host-facts';
import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import { integerOf, PID_MAX, print, printJson, withSettings } from '../shared/context.ts';
import { containerIdsOf, takeInventory } from '../shared/inventory.ts';
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
    .option('--json', 'print one JSON object, with the mounts of each namespace')
    .option('--container <id>', 'only the container with this id, id prefix or name')
    .option('--pid <n>', 'only this process')
    .option('--mounts', 'also show mounts')
    .addHelpText(
      'after',
      `
Needs root, but no running agent: it loads two BPF iterators for a moment and attaches nothing. They read the kernel's
own lists, so a process that hides from /proc is shown, with a mark.

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
  const pid = flags.pid === undefined ? null : integerOf('--pid', flags.pid, 1, PID_MAX);
  const ids = container === undefined ? null : containerIdsOf(inventory, container);
  const processes = inventory.processes
    .filter(({ container: id }) => ids === null || (id !== null && ids.includes(id)))
    .filter((process) => pid === null || process.pid === pid);
  if (pid !== null && processes.length === 0) throw new OperatorError(`no process ${pid}`);
  const namespaces = new Set(processes.map(({ namespaces: { mnt } }) => mnt));
  const populated = new Set(processes.map((process) => process.container));
  return {
    processes,
    mountNamespaces: inventory.mountNamespaces.filter(({ namespace }) => namespaces.has(namespace)),
    containers: inventory.containers.filter(({ id }) => populated.has(id) || ids?.includes(id)),
  };
}
