import { writeFileSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { verifyBundle } from '@ringfence/auditor/bundle';
import { openOutput } from '@ringfence/base';
import type { Command } from 'commander';
import { actionClientOf, print, withReason, withSettings } from '../shared/context.ts';
import { bytesText, counted } from '../shared/numbers.ts';

export function addExport(incident: Command): void {
  const command = incident
    .command('export')
    .argument('<id>', 'id of the incident, from ringfence incidents')
    .description('write an incident as one signed file: its records, their chains, and a page that opens offline')
    .requiredOption('--out <file>', 'file to write, a .zip')
    .addHelpText(
      'after',
      `
The file has all that is known of the incident, unmasked: arguments, paths, names of users. It needs a running
ringfence with an auditor. Anyone can verify it, without the trail: ringfence audit verify --bundle.

Examples:
  ringfence incident export inc-0123456789abcdef --out inc.zip --reason "for the insurer"
  ringfence audit verify --bundle inc.zip`,
    );
  withSettings(withReason(command)).action(async (id: string, _, self: Command) => {
    const { out } = self.opts<{ out: string }>();
    const stream = await actionClientOf(self).stream(`/incident/${encodeURIComponent(id)}/export`);
    const bundle = await buffer(stream);
    const { problemCount, records, root } = verifyBundle(bundle);
    writeFileSync(openOutput(out), bundle);
    print(`${out}: ${id}, ${counted(records, 'record')}, ${bytesText(bundle.length)}`);
    // A trail that was changed is exported all the same: the records that it still has are evidence.
    if (problemCount > 0) {
      process.exitCode = 1;
      print('the trail has records that do not verify: run ringfence audit verify');
    }
    print(`to verify it anywhere: ringfence audit verify --bundle ${out} --root ${root}`);
  });
}
