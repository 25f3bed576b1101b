import { escapeText } from '@ringfence/wire';
import { z } from 'zod';
import type { ActionKind, ActionOutcome, ActionRequest, Plan } from '../action.ts';
import { ActionRefusedError } from '../errors.ts';
import { absolutePath, absolutePaths, decimal, sha256Text, unsigned } from '../parameter-types.ts';
import { type FileOrder, type FoundFile, findFile } from './find-file.ts';
import { giveBack, NotGivenBackError } from './give-back.ts';
import { type Holders, holdersOf } from './holders.ts';
import { textOf } from './place.ts';
import { asRefusal } from './refusals.ts';
import { takeFile } from './take-file.ts';
import { type TakenFile, takenFile } from './taken-file.ts';
import type { FilePoint, FileTools } from './tools.ts';
import { Vault, vaultKey } from './vault.ts';

/** What a file system needs beside the copy, for its description and its folder. */
const SPARE_BYTES = 256 * 1024;
const LISTED_MAX = 100;

export interface QuarantineOptions {
  /** Folder of quarantined files. It is made with mode 0700 if it is missing. */
  readonly vault: string;
  /** @default 4 GiB */
  readonly maxBytes?: number;
  /**
   * Whether the agent or a container runtime needs a file. The device is in the kernel's encoding.
   * @default no file
   */
  readonly isProtected?: (device: number, inode: bigint) => boolean;
  /** Called at each named point, for crash tests. */
  readonly failpoint?: (point: FilePoint) => void;
}

const parameters: z.ZodType<FileOrder> = z.strictObject({
  path: absolutePath,
  links: absolutePaths.default([]),
  pid: unsigned.optional(),
  device: unsigned,
  inode: decimal,
  ctime: decimal.optional(),
  generation: unsigned.optional(),
  sha256: sha256Text.optional(),
});

export interface QuarantineWork {
  readonly file: TakenFile;
  /** ns since the epoch */
  readonly ctime: string;
}

/** `null` as work: there is no such file. */
export type QuarantineKind = ActionKind<FileOrder, QuarantineWork | null, TakenFile>;

/** Takes a file out of reach by its inode, and keeps all that is needed to give it back. */
export function quarantineKind(options: QuarantineOptions): QuarantineKind {
  const { maxBytes = 4 * 2 ** 30, isProtected = () => false, failpoint = () => {} } = options;
  const tools: FileTools = { vault: new Vault(options.vault), failpoint };
  return {
    name: 'quarantine',
    parameters,
    inverse: takenFile,
    plan: (order, request) => planTake(order, request, tools.vault, { maxBytes, isProtected }),
    apply: (plan, signal) => applyTake(plan.work, tools, signal),
    undo: (inverse, signal) => undoTake(inverse, tools, signal),
  };
}

type QuarantinePlan = Plan<QuarantineWork | null, TakenFile>;

export async function planTake(
  order: FileOrder,
  { id }: ActionRequest,
  vault: Vault,
  limits: Parameters<typeof findFile>[1],
): Promise<QuarantinePlan> {
  try {
    const found = await findFile(order, limits, async (file, fd) => planOf(file, await holdersOf(fd), id));
    if (found === null) return { targets: [], radius: { files: 0 }, spared: [], work: null, inverse: null };
    const needed = (found.radius['bytes'] ?? 0) + SPARE_BYTES;
    if (vault.free() >= needed) return found;
    throw new ActionRefusedError('not-possible', `the vault has no space for the ${needed} bytes of the file`);
  } catch (error) {
    throw asRefusal(error, escapeText(order.path));
  }
}

function planOf({ file, ctime, links }: FoundFile, holders: Holders, id: string): QuarantinePlan {
  const taken = { key: vaultKey(id), ...file };
  const { attributes, bytes, sha256, places } = file;
  const mode = attributes.mode.toString(8).padStart(4, '0');
  const facts = `${bytes} bytes, SHA-256 ${sha256}, owner ${attributes.uid}:${attributes.gid}, mode ${mode}`;
  const [first = '', ...others] = places.map(textOf);
  const unknown = links - places.length;
  return {
    targets: [`${first} (${facts})`, ...others.map((name) => `${name} (another name of it)`)],
    radius: { files: 1, names: places.length, bytes },
    spared: [
      ...(unknown > 0 ? [`${unknown} more names, not known: nothing can be read by them`] : []),
      ...kept(holders),
    ],
    work: { file: taken, ctime },
    inverse: taken,
  };
}

/** An open file can still be used by the processes that have it open. */
function kept({ found, cut }: Holders): string[] {
  const lines = found
    .slice(0, LISTED_MAX)
    .map(({ pid, name, how }) =>
      how === 'running' ? `process ${pid} (${name}) runs from it, and goes on` : `process ${pid} (${name}) has it open`,
    );
  const more = cut || found.length > LISTED_MAX ? ['more processes may have it open: there are too many to list'] : [];
  return [...lines, ...more];
}

export async function applyTake(
  work: QuarantineWork | null,
  tools: FileTools,
  signal: AbortSignal,
): Promise<ActionOutcome> {
  if (work === null) return { outcome: 'gone', reason: '', facts: {} };
  const { file } = work;
  const path = file.places.slice(0, 1).map(textOf).join();
  try {
    const taken = await takeFile(file, work.ctime, tools, signal);
    if (taken === null) return { outcome: 'gone', reason: '', facts: {} };
    const facts = { path, sha256: file.sha256, bytes: String(file.bytes), vault: taken.folder };
    const more = {
      names: String(file.places.length),
      namesLeft: String(taken.namesLeft),
      frozen: String(taken.frozen),
    };
    return { outcome: 'executed', reason: '', facts: { ...facts, ...more } };
  } catch (error) {
    throw asRefusal(error, path);
  }
}

export async function undoTake(file: TakenFile, tools: FileTools, signal: AbortSignal): Promise<ActionOutcome> {
  const path = file.places.slice(0, 1).map(textOf).join();
  try {
    const { as, left } = await giveBack(file, tools, signal);
    const facts = { path, sha256: file.sha256, restored: as };
    return { outcome: 'executed', reason: '', facts: left === null ? facts : { ...facts, changedFile: left } };
  } catch (error) {
    if (error instanceof NotGivenBackError) return { outcome: 'failed', reason: error.message, facts: { path } };
    throw asRefusal(error, path);
  }
}
