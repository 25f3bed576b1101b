import { parseAccounts } from './accounts.ts';
import { parseCron, parseLogind } from './cron.ts';
import { parsePam } from './pam.ts';
import type { Parsed, Parser } from './parsed.ts';
import { parseSshd } from './sshd.ts';
import { parseSu, parseSudo } from './sudo.ts';

/** By the name of the program. A line says itself which program it is of: rules that must know ask for the process. */
const PARSERS: ReadonlyMap<string, Parser> = new Map<string, Parser>([
  ...['sshd', 'sshd-session', 'sshd-auth'].map((name) => [name, parseSshd] as const),
  ['sudo', parseSudo],
  ['su', parseSu],
  ...['cron', 'CRON', 'crond', 'CROND', 'crontab'].map((name) => [name, parseCron] as const),
  ...['useradd', 'usermod', 'userdel', 'groupadd', 'gpasswd', 'passwd', 'chpasswd', 'adduser'].map(
    (name) => [name, parseAccounts] as const,
  ),
  ['systemd-logind', parseLogind],
]);

const NOTHING: Parsed = {};

/** What a program's message says; {} when it says nothing that is known. */
export function parseMessage(program: string, text: string): Parsed {
  return (text.startsWith('pam_') ? parsePam(text) : PARSERS.get(program)?.(text)) ?? NOTHING;
}
