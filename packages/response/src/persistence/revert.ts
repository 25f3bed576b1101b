import { statSync } from 'node:fs';
import { kernelDevice } from '@ringfence/host-kit';
import { escapeText } from '@ringfence/wire';
import { z } from 'zod';
import { findAccount, planLock, planRemoval, withAccountLock } from '../accounts/account-files.ts';
import type { ActionKind, ActionOutcome, ActionRequest, Plan } from '../action.ts';
import { ActionRefusedError } from '../errors.ts';
import { textOf } from '../files/place.ts';
import { applyTake, planTake, type QuarantineWork, undoTake } from '../files/quarantine.ts';
import { asRefusal } from '../files/refusals.ts';
import { type TakenFile, takenFile } from '../files/taken-file.ts';
import type { FileTools } from '../files/tools.ts';
import { Vault, vaultKey } from '../files/vault.ts';
import { HostRoot } from './host-root.ts';
import { isPlaceOf, mayTakeWhole, PRELOAD, type RevertOrder, revertOrder } from './parameters.ts';
import { findLinks, removeLinks, restoreLinks, systemctl, type Unit, unitSchema } from './systemd.ts';
import {
  applyEdit,
  type EditPoint,
  type EditTools,
  type FileEdit,
  fileEdit,
  planEdit,
  revertEdit,
} from './text-file.ts';
import { hasFingerprint, isLine, removeWholeLines } from './wanted-lines.ts';

const FILE_MAX = 16 << 20;
const TAKE_BACK_MS = 60_000;
const NEVER: AbortSignal = new AbortController().signal;

export interface RevertOptions {
  /** Folder of whole files that were taken, as for a quarantine. */
  readonly vault: string;
  /** The folder that is / of the host. @default / */
  readonly hostRoot?: string;
  /** The command that asks systemd of the host; null: no systemd runs there, and files alone are changed. */
  readonly systemctl: readonly string[] | null;
  /** Accounts that are neither locked nor removed. `root` never is. */
  readonly neverLock?: readonly string[];
  /** Called at each named point, for crash tests. */
  readonly failpoint?: (point: EditPoint | Parameters<FileTools['failpoint']>[0]) => void;
}

/** What takes the revert back: edits of text files, or a file that was taken. */
export interface RevertInverse {
  readonly key: string;
  readonly what: RevertOrder['what'];
  readonly edits: readonly FileEdit[];
  readonly taken: TakenFile | null;
  readonly unit: Unit | null;
}

const inverse: z.ZodType<RevertInverse> = z.strictObject({
  key: z.string().regex(/^[\da-f]{32}$/),
  what: z.enum(['unit', 'timer', 'cron', 'authorized-key', 'preload', 'user', 'profile-line', 'sudoers']),
  edits: z.array(fileEdit).max(16),
  taken: takenFile.nullable(),
  unit: unitSchema.nullable(),
});

/** null: there is nothing to revert. */
export type RevertWork = { readonly undo: RevertInverse; readonly take: QuarantineWork | null } | null;
export type RevertKind = ActionKind<RevertOrder, RevertWork, RevertInverse>;
type RevertPlan = Plan<RevertWork, RevertInverse>;

/** Takes one change of persistence back. */
export function revertKind(options: RevertOptions): RevertKind {
  const reverter = new Reverter(options);
  return {
    name: 'revert',
    parameters: revertOrder,
    inverse,
    plan: (order, request) => reverter.plan(order, request),
    apply: (plan, signal) => reverter.apply(plan.work, signal),
    undo: (undo, signal) => reverter.undo(undo, signal),
  };
}

const NOTHING: RevertPlan = { targets: [], radius: { files: 0 }, spared: [], work: null, inverse: null };

class Reverter {
  readonly #options: RevertOptions;
  readonly #root: HostRoot;
  readonly #files: FileTools;
  /** Keys of refused actions: a line that others have taken out meanwhile must not come back by their undo. */
  readonly #unchanged = new Set<string>();

  constructor(options: RevertOptions) {
    this.#options = options;
    this.#root = new HostRoot(options.hostRoot ?? '/');
    this.#files = { vault: new Vault(options.vault), failpoint: options.failpoint ?? (() => {}) };
  }

  async plan(order: RevertOrder, request: ActionRequest): Promise<RevertPlan> {
    const path = 'path' in order ? order.path : order.what === 'preload' ? PRELOAD : '/etc/passwd';
    try {
      if (order.what === 'user') return await this.#planUser(order, request);
      const resolved = this.#resolve(order.what, path);
      if (resolved === null) return NOTHING;
      const isWanted = wantedBy(order);
      if (isWanted === null) return await this.#planWhole(order, resolved, request);
      const edit = await planEdit(resolved, (text) => removeWholeLines(text, isWanted), NEVER);
      return edit === null ? NOTHING : planOf(order.what, [edit], request);
    } catch (error) {
      throw asRefusal(error, escapeText(path));
    }
  }

  /** Returns null if there is no such file. Throws ActionRefusedError if it is no place of such persistence. */
  #resolve(what: RevertOrder['what'], hostPath: string): string | null {
    const resolved = this.#root.resolve(hostPath);
    if (resolved === null || isPlaceOf(what, this.#root.hostPathOf(resolved))) return resolved;
    throw new ActionRefusedError('not-the-target', `${escapeText(resolved)} is no place for what is called ${what}`);
  }

  async #planUser(order: Extract<RevertOrder, { what: 'user' }>, request: ActionRequest): Promise<RevertPlan> {
    const account = findAccount(this.#root, order.name);
    if (account === null) return NOTHING;
    if (order.name === 'root' || this.#options.neverLock?.includes(order.name))
      throw new ActionRefusedError('protected', `the account ${order.name} must stay`);
    if (order.how === 'remove') return planOf('user', await planRemoval(this.#root, account, NEVER), request);
    const edit = await planLock(this.#root, order.name, NEVER);
    return edit === null ? NOTHING : planOf('user', [edit], request);
  }

  async #planWhole(order: RevertOrder, path: string, request: ActionRequest): Promise<RevertPlan> {
    const hostPath = this.#root.hostPathOf(path);
    if (!mayTakeWhole(hostPath))
      throw new ActionRefusedError('protected', `${hostPath} is not taken as a whole: name the line`);
    const { dev, ino } = statSync(path, { bigint: true });
    const sha256 = 'sha256' in order ? order.sha256 : undefined;
    const identity = { device: kernelDevice(dev), inode: String(ino), sha256 };
    const limits = { maxBytes: FILE_MAX, isProtected: () => false };
    const take = await planTake({ path, links: [], ...identity }, request, this.#files.vault, limits);
    if (take.work === null || take.inverse === null) return NOTHING;
    const isUnit = order.what === 'unit' || order.what === 'timer';
    const unit = isUnit ? await this.#unitOf(hostPath) : null;
    const undo = { key: vaultKey(request.id), what: order.what, edits: [], taken: take.inverse, unit };
    const links = (unit?.links ?? []).map((link) => `${escapeText(link.path)} (link that enables it)`);
    return { ...take, targets: [...take.targets, ...links], work: { undo, take: take.work }, inverse: undo };
  }

  async #unitOf(hostPath: string): Promise<Unit> {
    const [, dropIn] = /\/([^/]+)\.d\/[^/]+\.conf$/.exec(hostPath) ?? [];
    if (dropIn !== undefined) return { name: null, wasActive: false, links: [] };
    const name = hostPath.slice(hostPath.lastIndexOf('/') + 1);
    const command = this.#options.systemctl;
    const wasActive = command !== null && (await systemctl(command, 'is-active', '--', name)) === '';
    return { name, wasActive, links: findLinks(this.#root, hostPath) };
  }

  async apply(work: RevertWork, signal: AbortSignal): Promise<ActionOutcome> {
    if (work === null) return { outcome: 'gone', reason: '', facts: {} };
    const { undo, take } = work;
    if (take !== null) return await this.#applyWhole(undo, take, signal);
    const done: FileEdit[] = [];
    try {
      await this.#locked(undo, signal, async (tools) => {
        for (const edit of undo.edits) {
          await applyEdit(edit, tools, signal);
          done.push(edit);
        }
      });
    } catch (error) {
      await this.#revertEdits({ ...undo, edits: done }, AbortSignal.timeout(TAKE_BACK_MS));
      this.#unchanged.add(undo.key);
      throw asRefusal(error, undo.what);
    }
    return { outcome: 'executed', reason: '', facts: { what: undo.what, files: filesOf(undo.edits) } };
  }

  async #applyWhole(undo: RevertInverse, take: QuarantineWork, signal: AbortSignal): Promise<ActionOutcome> {
    const { unit } = undo;
    const problems: string[] = [];
    const ask = async (...args: string[]): Promise<void> => {
      if (unit !== null && this.#options.systemctl !== null)
        problems.push(await systemctl(this.#options.systemctl, ...args));
    };
    const result = await applyTake(take, this.#files, signal);
    if (result.outcome !== 'executed' || unit === null) return result;
    removeLinks(this.#root, unit.links);
    if (unit.name !== null && unit.wasActive) await ask('stop', '--', unit.name);
    await ask('daemon-reload');
    return withProblems(result, { ...this.#systemdFact(unit), links: String(unit.links.length) }, problems);
  }

  #systemdFact({ wasActive }: Unit): Record<string, string> {
    if (this.#options.systemctl === null) return { systemd: 'does not run here: files alone were changed' };
    return { systemd: wasActive ? 'the unit was active' : 'the unit was not active' };
  }

  async undo(undo: RevertInverse, signal: AbortSignal): Promise<ActionOutcome> {
    if (undo.taken !== null) return await this.#undoWhole(undo, undo.taken, signal);
    const notes = this.#unchanged.delete(undo.key) ? [] : await this.#revertEdits(undo, signal);
    const facts = { what: undo.what, files: filesOf(undo.edits) };
    const state = notes.length === 0 ? 'as before' : notes.join('; ').slice(0, 1024);
    return { outcome: 'executed', reason: '', facts: { ...facts, restored: state } };
  }

  async #undoWhole({ unit }: RevertInverse, taken: TakenFile, signal: AbortSignal): Promise<ActionOutcome> {
    const result = await undoTake(taken, this.#files, signal);
    if (unit === null || result.outcome !== 'executed') return result;
    const problems = restoreLinks(this.#root, unit.links).map((path) => `${path} could not be made again`);
    const command = this.#options.systemctl;
    if (command !== null) problems.push(await systemctl(command, 'daemon-reload'));
    if (command !== null && unit.name !== null && unit.wasActive)
      problems.push(await systemctl(command, 'start', '--', unit.name));
    return withProblems(result, this.#systemdFact(unit), problems);
  }

  async #revertEdits(undo: RevertInverse, signal: AbortSignal): Promise<readonly string[]> {
    const notes: string[] = [];
    await this.#locked(undo, signal, async (tools) => {
      for (const edit of undo.edits.toReversed()) notes.push(...(await revertEdit(edit, tools, signal)));
    });
    return notes;
  }

  /** Account files have a lock of their own. */
  async #locked(
    { key, what }: RevertInverse,
    signal: AbortSignal,
    use: (tools: EditTools) => Promise<void>,
  ): Promise<void> {
    const tools = { key, failpoint: this.#options.failpoint ?? (() => {}) };
    if (what === 'user') await withAccountLock(this.#root, signal, () => use(tools));
    else await use(tools);
  }
}

/** Returns which lines an order wants removed; null: the whole file. */
function wantedBy(order: RevertOrder): ((line: string) => boolean) | null {
  if ('line' in order) return isLine(order.line);
  return 'fingerprint' in order ? hasFingerprint(order.fingerprint) : null;
}

const filesOf = (edits: readonly FileEdit[]): string =>
  edits
    .map(({ place }) => textOf(place))
    .join(', ')
    .slice(0, 1024);

function planOf(what: RevertOrder['what'], edits: readonly FileEdit[], { id }: ActionRequest): RevertPlan {
  if (edits.length === 0) return NOTHING;
  const undo = { key: vaultKey(id), what, edits, taken: null, unit: null };
  const changes = edits.reduce((sum, edit) => sum + edit.changes.length, 0);
  const radius = { files: edits.length, changes };
  return { targets: edits.flatMap(targetsOf), radius, spared: [], work: { undo, take: null }, inverse: undo };
}

/** Texts of account files are secrets, so their changes are named by account or group alone. */
function targetsOf({ place, changes }: FileEdit): string[] {
  const path = textOf(place);
  return changes.flatMap((change) => {
    if (change.kind === 'fields') return [`${path}: the line of ${escapeText(change.name)}`];
    const isSecret = /^(?:g?shadow|passwd|group)$/.test(place.name);
    return change.removed.map(({ at, line }) => {
      const text = escapeText(Buffer.from(line, 'latin1').toString('utf8').trimEnd()).slice(0, 512);
      return isSecret ? `${path}: line ${at + 1}` : `${path}: line ${at + 1}, ${text}`;
    });
  });
}

/** The files are done. What systemd was not told is no reason to take them back. */
function withProblems(
  result: ActionOutcome,
  facts: Readonly<Record<string, string>>,
  problems: readonly string[],
): ActionOutcome {
  const reason = problems.filter(Boolean).join('; ').slice(0, 1024);
  return { outcome: 'executed', reason, facts: { ...result.facts, ...facts } };
}
