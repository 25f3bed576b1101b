import type { LogAction } from '@ringfence/fields';
import type { Parsed } from './parsed.ts';
import { after, cut, cutLast, type Source, sourceOf, without } from './text.ts';

/**
 * Parses lines of sshd, of every version that writes `port`. The client chooses the user name, which may contain
 * ` from 10.0.0.1 port 22 ssh2`. So the peer is read after the last ` from `, which sshd writes.
 */
export function parseSshd(text: string): Parsed | null {
  return login(text) ?? refused(text) ?? ended(text) ?? session(text);
}

const KEY = ' ssh2: ';

function login(text: string): Parsed | null {
  const outcome = text.startsWith('Accepted ') ? 'success' : text.startsWith('Failed ') ? 'failure' : null;
  const [method = '', rest = ''] = cut(text.slice(outcome === 'success' ? 9 : 7), ' for ') ?? [];
  const [name = '', peer = ''] = cutLast(rest, ' from ') ?? [];
  const source = sourceOf(peer);
  if (outcome === null || source === null || method.includes(' ')) return null;
  const key = cut(peer, KEY)?.[1] ?? '';
  return {
    category: 'authentication',
    action: 'ssh-login',
    outcome,
    user: without(name, 'invalid user '),
    method,
    ...source,
    ...(key === '' ? {} : { fingerprint: key.split(' ').find((part) => part.startsWith('SHA256:')) ?? '' }),
  };
}

/** sshd writes these in addition to a failed login or instead of it, so each has its own action. */
const REFUSALS: readonly (readonly [prefix: string, action: LogAction])[] = [
  ['Invalid user ', 'ssh-invalid-user'],
  ['error: maximum authentication attempts exceeded for ', 'ssh-too-many-attempts'],
  ['maximum authentication attempts exceeded for ', 'ssh-too-many-attempts'],
  ['error: PAM: Authentication failure for ', 'ssh-pam-failure'],
  ['User ', 'ssh-not-allowed'],
];

function refused(text: string): Parsed | null {
  for (const [prefix, action] of REFUSALS) {
    const rest = after(text, prefix);
    if (rest === null) continue;
    const named = action === 'ssh-not-allowed' ? (cutLast(rest, ' not allowed because ')?.[0] ?? '') : rest;
    const [name = '', peer = ''] = cutLast(named, ' from ') ?? [];
    const source = sourceOf(peer);
    const user = without(without(name, 'invalid user '), 'illegal user ');
    return source === null ? null : { category: 'authentication', action, outcome: 'failure', user, ...source };
  }
  return null;
}

const ENDS = ['Disconnected from ', 'Connection closed by ', 'Connection reset by '];
const USER_PREFIXES = ['authenticating user ', 'invalid user ', 'user '];

function ended(text: string): Parsed | null {
  const disconnect = after(text, 'Received disconnect from ');
  if (disconnect !== null) return disconnected('', sourceOf(disconnect));
  for (const prefix of ENDS) {
    const rest = after(text, prefix);
    if (rest === null) continue;
    const userPrefix = USER_PREFIXES.find((words) => rest.startsWith(words));
    // The name may have spaces, so the address is the last word before the last ` port `.
    const [before = '', port = ''] = cutLast(rest, ' port ') ?? [];
    const [name, address] =
      userPrefix === undefined ? ['', before] : (cutLast(before.slice(userPrefix.length), ' ') ?? ['', '']);
    return disconnected(name, sourceOf(`${address} port ${port}`));
  }
  return null;
}

const disconnected = (user: string, source: Source | null): Parsed | null =>
  source === null ? null : { category: 'session', action: 'ssh-disconnect', user, ...source };

/** Parses `Starting session: shell on pts/0 for root from 10.0.0.1 port 22 id 0`. */
function session(text: string): Parsed | null {
  const rest = after(text, 'Starting session: ');
  const [request = '', peer = ''] = cutLast(rest ?? '', ' from ') ?? [];
  const source = sourceOf(peer);
  if (rest === null || source === null) return null;
  const [program = '', user = ''] = cutLast(request, ' for ') ?? [];
  const tty = cutLast(program, ' on ')?.[1] ?? '';
  return { category: 'session', action: 'ssh-session', outcome: 'success', user, tty, ...source };
}
