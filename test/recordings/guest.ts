/** Plays actions that change a machine as a whole in a guest, a machine that ends with them. */
import { createPublicKey } from 'node:crypto';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Action, PlayOptions } from '@ringfence/rule-corpus/recordings';
import { buildModule } from '@ringfence/testkit/kernels';
import { findKernels } from '../kernels/lib/find-kernels.ts';
import { runScript } from '../kernels/lib/run-kernel.ts';
import { MODULE, writeLab } from '../kernels/lib/tree.ts';
import { type GuestLine, nameArgument } from './in-guest.ts';

const TIMEOUT_MS = 3_600_000;
const SCRIPT = 'test/recordings/in-guest.ts';
const SOURCE = join(import.meta.dirname, '../kernels/module');

/** Plays actions on the newest kernel. Throws Error if no guest can run here, or if `signal` aborts. */
export async function playInGuest(
  actions: readonly Action[],
  { signal, onPlayed }: Required<Pick<PlayOptions, 'signal' | 'onPlayed'>>,
): Promise<void> {
  if (actions.length === 0) return;
  const kernels = await findKernels();
  const kernel = typeof kernels === 'string' ? undefined : kernels.at(-1);
  if (kernel === undefined) throw new Error(`"${actions[0]?.rule}" is played in a guest, and none can run: ${kernels}`);
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
    const { rule, key, batches, stderr } = JSON.parse(line) as GuestLine;
    const action = actions.find((action) => action.rule === rule);
    if (action === undefined) throw new Error(`the guest played an action that was not asked for: ${rule}`);
    const publicKey = createPublicKey({ key: Buffer.from(key, 'base64'), format: 'der', type: 'spki' });
    onPlayed(action, { key: publicKey, batches: batches.map((batch) => Buffer.from(batch, 'base64')) }, stderr);
  };
  const { console } = await runScript({ kernel, write, script: SCRIPT, args, timeoutMs: TIMEOUT_MS, onLine, signal });
  process.stderr.write(console);
}
