/** Changes of /etc/passwd and its kin, under the lock that useradd, passwd and PAM take. */
import { closeSync, constants, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ifExists, tryRecordLock } from '@ringfence/host-kit';
import { z } from 'zod';
import { ActionRefusedError } from '../errors.ts';
import type { HostRoot } from '../persistence/host-root.ts';
import {
  type FieldChange,
  linesOf,
  membersOf,
  removeLines,
  type TextChange,
  withoutBreak,
} from '../persistence/lines.ts';
import { type FileEdit, planEdit } from '../persistence/text-file.ts';

/** As useradd accepts them; a trailing $ is that of machines in a Windows domain. */
export const accountName: z.ZodType<string> = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}\$?$/);
const LOCK_LOOK_MS = 50;
const LOCK_LOOKS = 300;
/** The day of expiry, in days since 1970: the account has expired long ago. */
const EXPIRED = '1';
const PASSWORD = 1;
const EXPIRY = 7;

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** Other accounts with the same uid. */
  readonly namesakes: readonly string[];
}

/** Calls `use` under the lock of lckpwdf(3). Throws ActionRefusedError if another program keeps it for 15 s. */
export async function withAccountLock<T>(root: HostRoot, signal: AbortSignal, use: () => Promise<T>): Promise<T> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW;
  const fd = openSync(root.pathOf('/etc/.pwd.lock'), flags, 0o600);
  try {
    for (let look = 0; !tryRecordLock(fd); look++) {
      if (look === LOCK_LOOKS)
        throw new ActionRefusedError(
          'not-possible',
          'another program keeps the lock of the account files: /etc/.pwd.lock',
        );
      await sleep(LOCK_LOOK_MS, undefined, { signal });
    }
    return await use();
  } finally {
    closeSync(fd);
  }
}

const fieldsOf = (line: string): string[] => withoutBreak(line).split(':');
const isLineOf =
  (name: string) =>
  (line: string): boolean =>
    line.startsWith(`${name}:`);

/** Returns null if the host has no such account of its own. */
export function findAccount(root: HostRoot, name: string): Account | null {
  const lines = readLines(root, '/etc/passwd').map(fieldsOf);
  const [, , uid = '', gid = ''] = lines.find((fields) => fields[0] === name) ?? [];
  if (!/^\d+$/.test(uid) || !/^\d+$/.test(gid)) return null;
  const same = lines.filter((fields) => fields[2] === uid && fields[0] !== name);
  return { name, uid: Number(uid), gid: Number(gid), namesakes: same.map(([other = '']) => other) };
}

function readLines(root: HostRoot, path: string): string[] {
  const fd = ifExists(() =>
    openSync(root.resolve(path) ?? root.pathOf(path), constants.O_RDONLY | constants.O_NOATIME),
  );
  if (fd === null) return [];
  try {
    return linesOf(readFileSync(fd, 'latin1'));
  } finally {
    closeSync(fd);
  }
}

/** Locks the password and lets the account expire. null: it is locked and has expired. Throws ActionRefusedError. */
export async function planLock(root: HostRoot, name: string, signal: AbortSignal): Promise<FileEdit | null> {
  let isThere = false;
  const edit = await edited(root, '/etc/shadow', signal, (text) => {
    const line = linesOf(text).find(isLineOf(name));
    isThere = line !== undefined;
    const fields = line === undefined ? [] : fieldsOf(line);
    const password = fields[PASSWORD] ?? '';
    const expiry = fields[EXPIRY] ?? '';
    const changes: FieldChange[] = [];
    if (isThere && !password.startsWith('!')) changes.push({ at: PASSWORD, prefix: '!' });
    if (isThere && expiry !== EXPIRED) changes.push({ at: EXPIRY, from: expiry, to: EXPIRED });
    return changes.length === 0 ? [] : [{ kind: 'fields', name, changes }];
  });
  if (!isThere)
    throw new ActionRefusedError('not-possible', `/etc/shadow has no line of ${name}: lock it where it is kept`);
  return edit;
}

async function edited(
  root: HostRoot,
  path: string,
  signal: AbortSignal,
  changesOf: (text: string) => readonly TextChange[],
): Promise<FileEdit | null> {
  const resolved = root.resolve(path);
  return resolved === null ? null : await planEdit(resolved, changesOf, signal);
}

/** Removes an account from all files, with its own group if nobody else has it. */
export async function planRemoval(root: HostRoot, account: Account, signal: AbortSignal): Promise<FileEdit[]> {
  const { name } = account;
  const hasGroup = ownsGroup(root, account);
  const removed = (text: string): TextChange[] => [removeLines(text, isLineOf(name))].filter((found) => found !== null);
  const left = (text: string, fields: readonly number[]): TextChange[] =>
    linesOf(text)
      .filter((line) => !hasGroup || !isLineOf(name)(line))
      .flatMap((line) => leaveGroup(line, name, fields));
  const edits = [
    await edited(root, '/etc/passwd', signal, removed),
    await edited(root, '/etc/shadow', signal, removed),
    await edited(root, '/etc/group', signal, (text) => [...left(text, [3]), ...(hasGroup ? removed(text) : [])]),
    await edited(root, '/etc/gshadow', signal, (text) => [...left(text, [2, 3]), ...(hasGroup ? removed(text) : [])]),
    await edited(root, '/etc/subuid', signal, removed),
    await edited(root, '/etc/subgid', signal, removed),
  ];
  return edits.filter((edit) => edit !== null);
}

function ownsGroup(root: HostRoot, { name, gid }: Account): boolean {
  const fields = readLines(root, '/etc/group')
    .map(fieldsOf)
    .find(([group]) => group === name);
  if (fields?.[2] !== String(gid) || membersOf(fields[3] ?? '').some((member) => member !== name)) return false;
  return !readLines(root, '/etc/passwd')
    .map(fieldsOf)
    .some(([user, , , group]) => user !== name && group === String(gid));
}

function leaveGroup(line: string, name: string, fields: readonly number[]): TextChange[] {
  const values = fieldsOf(line);
  const changes = fields.flatMap((at): FieldChange[] => {
    const index = membersOf(values[at] ?? '').indexOf(name);
    return index < 0 ? [] : [{ at, member: name, index }];
  });
  return changes.length === 0 ? [] : [{ kind: 'fields', name: values[0] ?? '', changes }];
}
