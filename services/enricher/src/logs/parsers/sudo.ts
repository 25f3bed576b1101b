import type { Parsed } from './parsed.ts';
import { after, cut, valueIn } from './text.ts';

const SEPARATOR = ' ; ';
const COMMAND = ' ; COMMAND=';

/**
 * Parses `ann : TTY=pts/0 ; PWD=/home/ann ; USER=root ; COMMAND=/usr/bin/id -u`, also with a refusal before TTY. The
 * command is last and takes the rest of the line. A directory may have ` ; USER=` in its name, so the caller may forge
 * a second value: the first counts. `message` has the whole line.
 */
export function parseSudo(text: string): Parsed | null {
  const [name = '', rest = ''] = cut(text.trimStart(), ' : ') ?? [];
  const [facts = '', command = ''] = cut(rest, COMMAND) ?? [rest, ''];
  if (name === '' || name.includes(' ') || !facts.includes('=')) return null;
  const parts = facts.split(SEPARATOR, 32);
  const value = (key: string): string => valueIn(parts, key);
  const refusal = parts[0]?.includes('=') === true ? '' : (parts[0] ?? '');
  return {
    category: 'process',
    action: 'sudo-command',
    outcome: refusal === '' ? 'success' : 'failure',
    user: name,
    targetUser: value('USER'),
    tty: value('TTY'),
    workingDirectory: value('PWD'),
    command,
  };
}

/**
 * Parses util-linux `(to root) ann on pts/0`, `FAILED SU (to root) ann on pts/0`, and shadow `Successful su for root by
 * ann`, `FAILED su for root by ann`.
 */
export function parseSu(text: string): Parsed | null {
  const failed = text.startsWith('FAILED ');
  const outcome = failed ? 'failure' : 'success';
  const rest = failed ? text.slice(7) : text;
  const [, shadow] = cut(rest, 'su for ') ?? [];
  if (shadow !== undefined && (failed || rest.startsWith('Successful '))) {
    const [targetUser = '', user = ''] = cut(shadow, ' by ') ?? [];
    return { category: 'authentication', action: 'su', outcome, user, targetUser };
  }
  const to = after(rest.startsWith('SU ') ? rest.slice(3) : rest, '(to ');
  const [targetUser = '', caller = ''] = cut(to ?? '', ') ') ?? [];
  const [user = '', tty = ''] = cut(caller, ' on ') ?? [caller, ''];
  return to === null || user === ''
    ? null
    : { category: 'authentication', action: 'su', outcome, user, targetUser, tty };
}
