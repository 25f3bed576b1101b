import { z } from 'zod';
import type { ActionKind, ActionOutcome, ActionRequest, Plan } from '../action.ts';
import { ActionRefusedError } from '../errors.ts';
import { asRefusal } from '../files/refusals.ts';
import { vaultKey } from '../files/vault.ts';
import { unsigned } from '../parameter-types.ts';
import { HostRoot } from '../persistence/host-root.ts';
import { applyEdit, type EditPoint, type FileEdit, fileEdit, revertEdit } from '../persistence/text-file.ts';
import { type Account, accountName, findAccount, planLock, withAccountLock } from './account-files.ts';
import { endSessions, hasSessions, ownLineage, processesOf, type SessionChoice } from './sessions.ts';

const NEVER: AbortSignal = new AbortController().signal;
const GRACE_MS = 3000;

export interface LockOptions {
  /** The folder that is / of the host. @default / */
  readonly hostRoot?: string;
  /** Accounts that are never locked. `root` never is. */
  readonly neverLock?: readonly string[];
  /** Whether a process must not be ended. Ancestors of this process never are. @default no process */
  readonly isProtected?: (pid: number) => boolean;
  /** ms between SIGHUP and SIGKILL. @default 3000 */
  readonly graceMs?: number;
  /** Called at each named point, for crash tests. */
  readonly failpoint?: (point: EditPoint | 'ended') => void;
}

export interface LockOrder {
  readonly name: string;
  /** The account must have this uid. */
  readonly uid?: number | undefined;
  /** Which of its login sessions end: `all`, `none`, or audit session ids with commas. */
  readonly sessions: 'all' | 'none' | readonly number[];
}

const sessions = z.union([
  z.enum(['all', 'none']),
  z
    .string()
    .regex(/^\d{1,10}(?:,\d{1,10}){0,63}$/)
    .transform((text) => text.split(',').map(Number)),
]);
const parameters: z.ZodType<LockOrder> = z.strictObject({
  name: accountName,
  uid: unsigned.optional(),
  sessions: sessions.default('all'),
});

export interface LockInverse {
  readonly key: string;
  readonly name: string;
  /** null: the account was locked before. */
  readonly edit: FileEdit | null;
}

const inverse: z.ZodType<LockInverse> = z.strictObject({
  key: z.string().regex(/^[\da-f]{32}$/),
  name: accountName,
  edit: fileEdit.nullable(),
});

/** null: there is no such account. */
export type LockWork = { readonly undo: LockInverse; readonly choice: SessionChoice | null } | null;
export type LockKind = ActionKind<LockOrder, LockWork, LockInverse>;

/** Locks an account of the host, and ends its login sessions. */
export function lockKind(options: LockOptions = {}): LockKind {
  const context: Context = { root: new HostRoot(options.hostRoot ?? '/'), options, unchanged: new Set() };
  return {
    name: 'lock',
    parameters,
    inverse,
    plan: (order, request) => plan(order, request, context),
    apply: ({ work }, signal) => apply(work, signal, context),
    undo: (undo, signal) => takeBack(undo, signal, context),
  };
}

interface Context {
  readonly root: HostRoot;
  readonly options: LockOptions;
  /** Keys of refused actions: what others have changed meanwhile is theirs. */
  readonly unchanged: Set<string>;
}

async function plan(
  order: LockOrder,
  { id }: ActionRequest,
  { root, options }: Context,
): Promise<Plan<LockWork, LockInverse>> {
  const account = findAccount(root, order.name);
  if (account === null) return { targets: [], radius: { accounts: 0 }, spared: [], work: null, inverse: null };
  check(order, account, options);
  const choice = choiceOf(order, account);
  const edit = await planLock(root, order.name, NEVER);
  const all = choice === null ? [] : processesOf(choice);
  const isSpared = spared(options);
  const [kept, ending] = [all.filter(({ pid }) => isSpared(pid)), all.filter(({ pid }) => !isSpared(pid))];
  const undo = { key: vaultKey(id), name: order.name, edit };
  const lock =
    edit === null ? [] : [`account ${order.name} (uid ${account.uid}): its password is locked, and it expires`];
  return {
    targets: [...lock, ...ending.map(({ pid, name, session }) => `process ${pid} (${name}) of session ${session}`)],
    radius: { accounts: 1, processes: ending.length, sessions: new Set(ending.map(({ session }) => session)).size },
    spared: kept.map(({ pid, name }) => `process ${pid} (${name}) is protected, or the agent descends from it`),
    work: { undo, choice },
    inverse: undo,
  };
}

function check({ name, uid, sessions }: LockOrder, account: Account, options: LockOptions): void {
  if (name === 'root' || options.neverLock?.includes(name))
    throw new ActionRefusedError('protected', `the account ${name} is never locked`);
  if (uid !== undefined && uid !== account.uid)
    throw new ActionRefusedError('not-the-target', `the account ${name} has uid ${account.uid}, not ${uid}`);
  if (sessions === 'none') return;
  if (!hasSessions())
    throw new ActionRefusedError('not-possible', 'this kernel marks no login sessions (CONFIG_AUDIT): order none');
  if (sessions === 'all' && account.namesakes.length > 0) {
    const others = account.namesakes.join(', ');
    throw new ActionRefusedError('not-possible', `${others} has the same uid: name the sessions of ${name} to end`);
  }
}

function choiceOf({ sessions }: LockOrder, { uid }: Account): SessionChoice | null {
  if (sessions === 'none') return null;
  return { uid, ids: sessions === 'all' ? null : sessions };
}

function spared({ isProtected = () => false }: LockOptions): (pid: number) => boolean {
  const lineage = ownLineage();
  return (pid) => lineage.has(pid) || isProtected(pid);
}

async function apply(work: LockWork, signal: AbortSignal, context: Context): Promise<ActionOutcome> {
  if (work === null) return { outcome: 'gone', reason: '', facts: {} };
  const { undo, choice } = work;
  const { edit, key, name } = undo;
  const { root, options, unchanged } = context;
  const { failpoint = () => {}, graceMs = GRACE_MS } = options;
  try {
    if (edit !== null) await withAccountLock(root, signal, () => applyEdit(edit, { key, failpoint }, signal));
  } catch (error) {
    unchanged.add(key);
    throw asRefusal(error, name);
  }
  const facts = { account: name, locked: edit === null ? 'it was locked before' : 'yes' };
  if (choice === null) return { outcome: 'executed', reason: '', facts };
  const { signalled, left } = await endSessions({ choice, isSpared: spared(options), graceMs }, signal);
  failpoint('ended');
  const counts = { ...facts, signalled: String(signalled), left: String(left.length) };
  if (left.length === 0) return { outcome: 'executed', reason: '', facts: counts };
  const pids = left.slice(0, 32).map(({ pid }) => pid);
  // The account stays locked: a failed action would be taken back.
  return { outcome: 'executed', reason: `processes of its sessions still live: ${pids.join(', ')}`, facts: counts };
}

async function takeBack(
  { edit, key, name }: LockInverse,
  signal: AbortSignal,
  { root, options, unchanged }: Context,
): Promise<ActionOutcome> {
  const { failpoint = () => {} } = options;
  const notes =
    edit === null || unchanged.delete(key)
      ? ['nothing was changed']
      : await withAccountLock(root, signal, () => revertEdit(edit, { key, failpoint }, signal));
  const state = notes.length === 0 ? 'as before' : notes.join('; ').slice(0, 1024);
  const facts = { account: name, unlocked: state, sessions: 'those that were ended stay ended' };
  return { outcome: 'executed', reason: '', facts };
}
