import { join } from 'node:path';
import { OperatorError } from '@ringfence/base';
import { sensorObject } from '@ringfence/config';
import { type Inventory, readInventory } from '@ringfence/host-facts';
import type { Command } from 'commander';
import { requireRoot, settingsOf } from './context.ts';

/**
 * Reads the current processes, containers and mounts of this machine. Throws OperatorError unless this user is root.
 */
export function takeInventory(self: Command): Inventory {
  const config = settingsOf(self);
  requireRoot('reading the inventory from the kernel', `sudo ringfence ${self.name()}`);
  const { hostRoot, dockerRoots } = config.collector;
  return readInventory({
    sensorObject: sensorObject(),
    containerFiles: [join(config.runDir, 'containers.d')],
    roots: { root: hostRoot, dockerRoots },
  });
}

/**
 * Returns the ids of the containers that have this name, this id, or an id that begins so. Throws OperatorError if
 * there is none.
 */
export function containerIdsOf({ containers }: Inventory, wanted: string): string[] {
  const ids = containers.filter(({ id, name }) => name === wanted || id.startsWith(wanted)).map(({ id }) => id);
  if (ids.length === 0) {
    const known = containers.map(({ id, name }) => name || id.slice(0, 12));
    const hint = known.length > 0 ? `: running containers are ${known.join(', ')}` : '';
    throw new OperatorError(`no container ${wanted} is running${hint}`);
  }
  return ids;
}
