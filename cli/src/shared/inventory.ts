import { join } from 'node:path';
import { OperatorError } from '@ringfence/base';
import { type Inventory, readInventory } from '@ringfence/collector';
import { sensorObject } from '@ringfence/config';
import type { Command } from 'commander';
import { needRoot, settingsOf } from './context.ts';

/** Of this machine, now. */
export function takeInventory(self: Command): Inventory {
  const config = settingsOf(self);
  needRoot('reading what runs from the kernel', `sudo ringfence ${self.name()}`);
  const { hostRoot, dockerRoots } = config.collector;
  return readInventory({
    sensorObject: sensorObject(),
    containerFiles: [join(config.runDir, 'containers.d')],
    places: { root: hostRoot, dockerRoots },
  });
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
