import { parseAccounts } from './accounts.ts';
import { parseCron, parseLogind } from './cron.ts';
import { parsePam } from './pam.ts';
import type { Parsed, Parser } from './parsed.ts';
import { parseSshd } from './sshd.ts';
import { parseSu, parseSudo } from './sudo.ts';

/**
 * Parsers by program name. The name comes from the line itself and may be forged: rules that must be certain check the
 * process.
 */
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

/** Parses a program's message. Returns {} if the message is unknown. */
export function parseMessage(program: string, text: string): Parsed {
  return (text.startsWith('pam_') ? parsePam(text) : PARSERS.get(program)?.(text)) ?? NOTHING;
}
