/** Actions that happen to a machine as a whole: in a guest, a machine of their own that ends with them. */
import { createPublicKey } from 'node:crypto';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildModule } from '@ringfence/testkit/kernels';
import { findKernels } from '../../test/kernels/lib/find-kernels.ts';
import { runScript } from '../../test/kernels/lib/run-kernel.ts';
import { MODULE, writeLab } from '../../test/kernels/lib/tree.ts';
import type { Action } from './actions.ts';
import { type GuestLine, nameArgument } from './in-guest.ts';
import type { PlayOptions } from './play.ts';

const TIMEOUT_MS = 3_600_000;
const SCRIPT = 'rules/recordings/in-guest.ts';
const SOURCE = join(import.meta.dirname, '../../test/kernels/module');

/** As `play` does, on the newest kernel that there is. Throws when no guest can be run here, and when `signal` aborts. */
export async function playInGuest(
  actions: readonly Action[],
  { signal, onPlayed }: Required<Pick<PlayOptions, 'signal' | 'onPlayed'>>,
): Promise<void> {
  if (actions.length === 0) return;
  const kernels = await findKernels();
  const kernel = typeof kernels === 'string' ? undefined : kernels.at(-1);
  if (kernel === undefined) throw new Error(`no guest can be run, which ${actions[0]?.rule} is played in: ${kernels}`);
  const module = await buildModule(kernel, SOURCE);
  const write = async (directory: string): Promise<void> => {
    await writeLab(
      directory,
      actions.some(({ setup }) => setup.includes('image')),
    );
    copyFileSync(module, join(directory, MODULE));
  };
  const args = actions.map(({ rule }) => nameArgument(rule));
  const onLine = (line: string): void => {
    const { rule, key, batches, said } = JSON.parse(line) as GuestLine;
    const action = actions.find((action) => action.rule === rule);
    if (action === undefined) throw new Error(`the guest played what it was not asked for: ${rule}`);
    const publicKey = createPublicKey({ key: Buffer.from(key, 'base64'), format: 'der', type: 'spki' });
    onPlayed(action, { key: publicKey, batches: batches.map((batch) => Buffer.from(batch, 'base64')) }, said);
  };
  const { console } = await runScript({ kernel, write, script: SCRIPT, args, timeoutMs: TIMEOUT_MS, onLine, signal });
  process.stderr.write(console);
}
