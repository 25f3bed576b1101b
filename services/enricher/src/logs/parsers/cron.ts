import type { Parsed } from './parsed.ts';
import { after, cut } from './text.ts';

/** Parses `(root) CMD (cd / && run-parts --report /etc/cron.hourly)` and crontab's `(ann) REPLACE (ann)`. */
export function parseCron(text: string): Parsed | null {
  const [user = '', rest = ''] = cut(after(text, '(') ?? '', ') ') ?? [];
  const [verb = '', argument = ''] = cut(rest, ' (') ?? [];
  const command = argument.endsWith(')') ? argument.slice(0, -1) : argument;
  if (user === '') return null;
  if (verb === 'CMD')
    return { category: 'process', action: 'cron-command', outcome: 'success', user, targetUser: user, command };
  if (verb === 'REPLACE')
    return { category: 'process', action: 'crontab-replaced', outcome: 'success', user, targetUser: command };
  return null;
}

/** Parses `New session 12 of user ann.` and `Removed session 12.`. */
export function parseLogind(text: string): Parsed | null {
  const opened = cut(after(text, 'New session ') ?? '', ' of user ')?.[1];
  if (opened !== undefined) {
    const user = opened.endsWith('.') ? opened.slice(0, -1) : opened;
    return { category: 'session', action: 'logind-session-opened', outcome: 'success', targetUser: user };
  }
  return text.startsWith('Removed session ') ? { category: 'session', action: 'logind-session-closed' } : null;
}
