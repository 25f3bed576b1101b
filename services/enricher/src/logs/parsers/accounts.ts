import type { LogAction } from '@ringfence/fields';
import type { Parsed } from './parsed.ts';
import { after, cut, quoted } from './text.ts';

const iam = (action: LogAction, targetUser: string): Parsed => ({
  category: 'iam',
  action,
  outcome: 'success',
  targetUser,
});

/** Parses lines of useradd, usermod, groupadd, gpasswd and other tools of shadow. Only the message names the group. */
export function parseAccounts(text: string): Parsed | null {
  const created = after(text, 'new user: name=');
  if (created !== null) return iam('user-created', cut(created, ', ')?.[0] ?? created);
  const group = after(text, 'new group: name=') ?? after(text, 'group added to /etc/group: name=');
  if (group !== null) return iam('group-created', '');
  return member(text) ?? changed(text);
}

/**
 * Parses `add 'bob' to group 'sudo'`, `add 'bob' to shadow group 'sudo'`, and gpasswd's
 * `user bob added by root to group sudo`.
 */
function member(text: string): Parsed | null {
  const added = after(text, 'add ');
  if (added !== null && quoted(added) !== '' && added.includes(' to group '))
    return iam('group-member-added', quoted(added));
  const [name = '', rest = ''] = cut(after(text, 'user ') ?? '', ' added by ') ?? [];
  const [by = ''] = cut(rest, ' to group ') ?? [];
  return by === '' ? null : { ...iam('group-member-added', name), user: by };
}

const CHANGES: readonly (readonly [prefix: string, action: LogAction])[] = [
  ['delete user ', 'user-deleted'],
  ['lock user ', 'user-locked'],
  ['unlock user ', 'user-unlocked'],
  ['change user ', 'user-changed'],
];

function changed(text: string): Parsed | null {
  const found = CHANGES.find(([prefix]) => text.startsWith(prefix));
  const name = found === undefined ? '' : quoted(text.slice(found[0].length));
  return found === undefined || name === '' ? null : iam(found[1], name);
}
