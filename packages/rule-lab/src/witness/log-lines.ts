import { type Constraint, isPositive, satisfied } from './constraint.ts';
import type { Entries } from './groups.ts';
import { type Shape, shapesOf } from './shapes.ts';
import { textsOf, WORDS } from './texts.ts';
import { valuesOf } from './values.ts';

/** A line of a program, with the values of fields in braces. */
interface Line {
  readonly program: string;
  readonly action: string;
  readonly outcome?: 'success' | 'failure';
  readonly text: string;
}

const line = (action: string, program: string, text: string, outcome?: Line['outcome']): Line =>
  outcome === undefined ? { action, program, text } : { action, program, text, outcome };

/** Lines as the programs write them and the enricher reads them. */
const LINES: readonly Line[] = [
  line(
    'ssh-login',
    'sshd',
    'Accepted {method} for {user} from {ip} port {port} ssh2: ED25519 {fingerprint}',
    'success',
  ),
  line('ssh-login', 'sshd', 'Failed {method} for {user} from {ip} port {port} ssh2', 'failure'),
  line('ssh-invalid-user', 'sshd', 'Invalid user {user} from {ip} port {port}', 'failure'),
  line('ssh-not-allowed', 'sshd', 'User {user} from {ip} not allowed because not listed in AllowUsers', 'failure'),
  line(
    'ssh-too-many-attempts',
    'sshd',
    'error: maximum authentication attempts exceeded for {user} from {ip} port {port} ssh2 [preauth]',
    'failure',
  ),
  line('ssh-pam-failure', 'sshd', 'error: PAM: Authentication failure for {user} from {ip}', 'failure'),
  line('ssh-disconnect', 'sshd', 'Disconnected from user {user} {ip} port {port}'),
  line('ssh-session', 'sshd', 'Starting session: shell on {tty} for {user} from {ip} port {port} id 0', 'success'),
  line('sudo-command', 'sudo', '{user} : TTY={tty} ; PWD={directory} ; USER={target} ; COMMAND={command}', 'success'),
  line(
    'sudo-command',
    'sudo',
    '{user} : command not allowed ; TTY={tty} ; PWD={directory} ; USER={target} ; COMMAND={command}',
    'failure',
  ),
  line('su', 'su', '(to {target}) {user} on {tty}', 'success'),
  line('su', 'su', 'FAILED SU (to {target}) {user} on {tty}', 'failure'),
  line('cron-command', 'CRON', '({user}) CMD ({command})', 'success'),
  line('crontab-replaced', 'crontab', '({user}) REPLACE ({user})', 'success'),
  line(
    'user-created',
    'useradd',
    'new user: name={target}, UID=1001, GID=1001, home=/home/x, shell=/bin/bash',
    'success',
  ),
  line('group-created', 'groupadd', 'new group: name=staff2, GID=1002', 'success'),
  line('group-member-added', 'usermod', "add '{target}' to group '{group}'", 'success'),
  line('group-member-added', 'usermod', "add '{target}' to group {rest}", 'success'),
  line('user-deleted', 'userdel', "delete user '{target}'", 'success'),
  line('user-locked', 'usermod', "lock user '{target}' password", 'success'),
  line('user-unlocked', 'usermod', "unlock user '{target}' password", 'success'),
  line('user-changed', 'usermod', "change user '{target}' shell from '/bin/sh' to '/bin/bash'", 'success'),
  line('password-changed', 'passwd', 'pam_unix(passwd:chauthtok): password changed for {target}', 'success'),
  line(
    'pam-authentication',
    'sshd',
    'pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty={tty} ruser={user} rhost={ip} user={target}',
    'failure',
  ),
  line('session-opened', 'sshd', 'pam_unix(sshd:session): session opened for user {target}(uid=0) by {user}(uid=0)'),
  line('session-closed', 'sshd', 'pam_unix(sshd:session): session closed for user {target}'),
  line('logind-session-opened', 'systemd-logind', 'New session 12 of user {target}.', 'success'),
  line('logind-session-closed', 'systemd-logind', 'Removed session 12.'),
];

/** The parts of lines in braces: the field that shows the part, and its text if no constraint is on the field. */
const HOLES: Readonly<Record<string, readonly [field: string, usual: string]>> = {
  method: ['ringfence.ssh.method', 'password'],
  user: ['user.name', 'ann'],
  ip: ['source.ip', '203.0.113.9'],
  port: ['source.port', '4711'],
  fingerprint: ['ringfence.ssh.fingerprint', 'SHA256:abc'],
  tty: ['ringfence.log.tty', 'pts/0'],
  directory: ['process.working_directory', '/home/ann'],
  target: ['user.target.name', 'bob'],
  command: ['process.command_line', '/usr/bin/id'],
  group: ['message', 'sudo'],
  rest: ['message', "'sudo'"],
};

/** Yields lines of logs that satisfy the constraints, as far as these are about the text of the line. */
export function* logLines(constraints: readonly Constraint[]): Generator<Entries> {
  const on = (name: string): Constraint[] => constraints.filter(({ test }) => test.operand.field.name === name);
  const allows = (name: string, value: string | undefined): boolean =>
    on(name).every((constraint) => satisfied(constraint, value));
  const message = on('message');
  const isTold = on('event.action').some(isPositive) || !message.some(isPositive);
  const program = first(on('log.syslog.appname'));
  for (const { program: writer, action, outcome, text } of LINES) {
    if (!isTold || !allows('event.action', action) || !allows('event.outcome', outcome)) continue;
    for (const filled of fillings(text, on, message)) {
      if (message.every((constraint) => satisfied(constraint, filled)))
        yield { message: filled, 'log.syslog.appname': program ?? writer };
    }
  }
  if (isTold && allows('event.action', 'foreign-alert')) yield* alertLines(on, allows);
  if (isTold && on('event.action').some(isPositive)) return;
  const lists = message.filter(isPositive).map(({ test }) => shapesOf(test));
  for (const plain of textsOf(lists, WORDS)) {
    if (message.every((constraint) => satisfied(constraint, plain)) && plain.trim() !== '')
      yield { message: plain, 'log.syslog.appname': program ?? 'daemon' };
  }
}

const LEVELS = ['emergency', 'alert', 'critical', 'error', 'warning', 'notice', 'informational', 'debug'];

/** Yields alerts of other sensors, as they post them to the agent. */
function* alertLines(
  on: (name: string) => Constraint[],
  allows: (name: string, value: string | undefined) => boolean,
): Generator<Entries> {
  const value = (field: string, usual: string): string => first(on(field)) ?? usual;
  const rule = value('rule.name', 'Write below etc');
  const command = value('process.command_line', '/usr/bin/id');
  const fields = { 'proc.cmdline': command, 'user.name': value('user.name', 'ann') };
  const priorities = allows('event.provider', 'falco') ? LEVELS.filter((level) => allows('log.level', level)) : [];
  const alerts: object[] = priorities.map((priority) => ({ rule, priority, output_fields: fields }));
  if (allows('event.provider', 'tetragon') && allows('log.level', undefined))
    alerts.push({ process_kprobe: { policy_name: rule, process: { binary: command } } });
  for (const alert of alerts) yield { 'log.origin': 'http', message: JSON.stringify(alert) };
}

const first = (constraints: readonly Constraint[]): string | undefined => {
  const { value } = valuesOf(constraints, 'log').next();
  return value === undefined ? undefined : String(value);
};

/** Fills the holes with values that their fields may have; a part that the message demands is tried in the last one. */
function* fillings(
  text: string,
  on: (name: string) => Constraint[],
  message: readonly Constraint[],
): Generator<string> {
  const filled = text.replaceAll(/\{(\w+)\}/g, (hole, name: string) => {
    const [field, usual] = HOLES[name] ?? ['', ''];
    if (field === 'message') return hole;
    return first(on(field)) ?? usual;
  });
  const open = /\{(\w+)\}/.exec(filled)?.[0];
  const parts = message.filter(isPositive).flatMap(({ test }) => shapesOf(test).map(partOf));
  if (open !== undefined)
    yield* [...parts, HOLES[open.slice(1, -1)]?.[1] ?? ''].map((part) => filled.replace(open, part));
  else yield* [filled, ...parts.map((part) => `${filled} ${part}`)];
}

const partOf = ({ exact, prefix = '', infixes = [], suffix = '' }: Shape): string =>
  exact ?? [prefix, ...infixes, suffix].join('');
