import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { silentLog } from '@ringfence/base';
import { offlineActions } from '@ringfence/collector';
import type { Command } from 'commander';
import { print, settingsOf } from '../shared/context.ts';

/** Takes back every action of the journal, newest first. Returns the exit code: 1 if one could not be taken back. */
export async function panic(self: Command): Promise<number> {
  const { stateDir, sensor } = settingsOf(self);
  const directory = join(stateDir, 'actions');
  if (!existsSync(directory)) {
    print(`no action is in force on this host: ${directory} does not exist`);
    return 0;
  }
  using actions = offlineActions({ stateDir, pinPath: sensor.pinPath }, silentLog);
  const answers = await actions.undoAll();
  for (const [id, { outcome, reason }] of answers) print(`${outcome}  ${id}${reason === '' ? '' : `  ${reason}`}`);
  print(`${answers.size} action${answers.size === 1 ? '' : 's'} taken back`);
  return [...answers.values()].some(({ outcome }) => outcome === 'failed') ? 1 : 0;
}
