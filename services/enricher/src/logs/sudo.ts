import type { Parsed } from './parsed.ts';
import { after, cut } from './text.ts';

const SEPARATOR = ' ; ';
const COMMAND = ' ; COMMAND=';

/**
 * `ann : TTY=pts/0 ; PWD=/home/ann ; USER=root ; COMMAND=/usr/bin/id -u`, or with a refusal before TTY. The command is last and takes the rest, whatever
 * is in it. A folder may have ` ; USER=` in its name: what is then told twice is told by whoever asked, and the first counts; `message` has all.
 */
export function parseSudo(text: string): Parsed | null {
  const [name = '', rest = ''] = cut(text.trimStart(), ' : ') ?? [];
  const [facts = '', command = ''] = cut(rest, COMMAND) ?? [rest, ''];
  if (name === '' || name.includes(' ') || !facts.includes('=')) return null;
  const parts = facts.split(SEPARATOR, 32);
  const value = (key: string): string => parts.map((part) => after(part, `${key}=`)).find((one) => one !== null) ?? '';
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

/** util-linux `(to root) ann on pts/0`, `FAILED SU (to root) ann on pts/0`; shadow `Successful su for root by ann`, `FAILED su for root by ann` */
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
  const [targetUser = '', who = ''] = cut(to ?? '', ') ') ?? [];
  const [user = '', tty = ''] = cut(who, ' on ') ?? [who, ''];
  return to === null || user === ''
    ? null
    : { category: 'authentication', action: 'su', outcome, user, targetUser, tty };
}
