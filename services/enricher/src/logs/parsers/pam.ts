import type { Parsed } from './parsed.ts';
import { after, cut, firstWord, sourceOf, valueIn } from './text.ts';

/** Parses `pam_unix(sshd:session): …`, which any program may log. */
export function parsePam(text: string): Parsed | null {
  const rest = after(text, 'pam_');
  const [head = '', message = ''] = cut(rest ?? '', '): ') ?? [];
  const [service = '', type = ''] = cut(cut(head, '(')?.[1] ?? '', ':') ?? [];
  if (rest === null || service === '') return null;
  if (type === 'session') return session(message);
  if (type === 'auth') return failure(message);
  return type === 'chauthtok' ? changed(message) : null;
}

/**
 * Parses `session opened for user root(uid=0) by ann(uid=1000)`, `session opened for user root by (uid=0)` and
 * `session closed for user root`.
 */
function session(message: string): Parsed | null {
  const opened = after(message, 'session opened for user ');
  const closed = after(message, 'session closed for user ');
  if (opened === null && closed === null) return null;
  const [target, by = ''] = cut(opened ?? closed ?? '', ' by ') ?? [opened ?? closed ?? ''];
  const action = opened === null ? 'session-closed' : 'session-opened';
  return { category: 'session', action, outcome: 'success', user: nameOf(by), targetUser: nameOf(target) };
}

const nameOf = (text: string): string => firstWord(cut(text, '(')?.[0] ?? text);

/** Parses `authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=10.0.0.1  user=root`. */
function failure(message: string): Parsed | null {
  const facts = after(message, 'authentication failure; ');
  if (facts === null) return null;
  // The user comes last, because the client may choose any text as its name.
  const [before = '', targetUser = ''] = cut(facts, ' user=') ?? [facts];
  const parts = before.split(' ', 64);
  const value = (key: string): string => valueIn(parts, key);
  return {
    category: 'authentication',
    action: 'pam-authentication',
    outcome: 'failure',
    user: value('ruser'),
    targetUser,
    tty: value('tty'),
    ...(sourceOf(value('rhost')) ?? {}),
  };
}

function changed(message: string): Parsed | null {
  const targetUser = after(message, 'password changed for ');
  return targetUser === null ? null : { category: 'iam', action: 'password-changed', outcome: 'success', targetUser };
}
