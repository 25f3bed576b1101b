import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseMessage } from '../../src/logs/parsers/parse.ts';
import type { Parsed } from '../../src/logs/parsers/parsed.ts';
import { parseSyslog } from '../../src/logs/syslog.ts';

const peer = (sourcePort: number, sourceAddress = '203.0.113.9') => ({ sourceAddress, sourcePort });
const login = { category: 'authentication', action: 'ssh-login' } as const;
const FP = 'SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU';

/** Real lines of programs, and the expected fields. */
const GOLDEN: readonly (readonly [line: string, parsed: Parsed])[] = [
  [
    'Nov 25 15:55:07 web-1 sshd[812]: Accepted password for root from 203.0.113.9 port 40122 ssh2',
    { ...login, outcome: 'success', user: 'root', method: 'password', ...peer(40122) },
  ],
  [
    `2026-11-25T15:55:07.123456+00:00 web-1 sshd-session[812]: Accepted publickey for ann from 2001:db8::7 port 50000 ssh2: ED25519 ${FP}`,
    { ...login, outcome: 'success', user: 'ann', method: 'publickey', fingerprint: FP, ...peer(50000, '2001:db8::7') },
  ],
  [
    'Nov 25 15:55:07 web-1 sshd[812]: Failed password for ann from 203.0.113.9 port 1 ssh2',
    { ...login, outcome: 'failure', user: 'ann', method: 'password', ...peer(1) },
  ],
  [
    'Nov 25 15:55:07 web-1 sshd[812]: Failed password for invalid user admin from 203.0.113.9 port 40123 ssh2',
    { ...login, outcome: 'failure', user: 'admin', method: 'password', ...peer(40123) },
  ],
  [
    'Nov  5 05:55:07 web-1 sshd[812]: Failed keyboard-interactive/pam for root from 203.0.113.9 port 40123 ssh2',
    { ...login, outcome: 'failure', user: 'root', method: 'keyboard-interactive/pam', ...peer(40123) },
  ],
  [
    'Nov 25 15:55:07 web-1 sshd[812]: Invalid user  from 203.0.113.9 port 40123',
    { category: 'authentication', action: 'ssh-invalid-user', outcome: 'failure', user: '', ...peer(40123) },
  ],
  [
    'Nov 25 15:55:07 web-1 sshd[812]: error: maximum authentication attempts exceeded for invalid user x from 203.0.113.9 port 9 ssh2 [preauth]',
    { category: 'authentication', action: 'ssh-too-many-attempts', outcome: 'failure', user: 'x', ...peer(9) },
  ],
  [
    'Nov 25 15:55:07 web-1 sshd[812]: User bob from 203.0.113.9 not allowed because not listed in AllowUsers',
    { category: 'authentication', action: 'ssh-not-allowed', outcome: 'failure', user: 'bob', ...peer(0) },
  ],
  [
    'Nov 25 15:55:07 web-1 sshd[812]: Disconnected from user ann 203.0.113.9 port 40122',
    { category: 'session', action: 'ssh-disconnect', user: 'ann', ...peer(40122) },
  ],
  [
    'Nov 25 15:55:07 web-1 sshd[812]: Connection closed by authenticating user root 203.0.113.9 port 40122 [preauth]',
    { category: 'session', action: 'ssh-disconnect', user: 'root', ...peer(40122) },
  ],
  [
    'Nov 25 15:55:07 web-1 sshd[812]: Connection closed by 203.0.113.9 port 40122 [preauth]',
    { category: 'session', action: 'ssh-disconnect', user: '', ...peer(40122) },
  ],
  [
    'Nov 25 15:55:07 web-1 sshd[812]: Received disconnect from 203.0.113.9 port 40122:11: disconnected by user',
    { category: 'session', action: 'ssh-disconnect', user: '', ...peer(40122) },
  ],
  [
    'Nov 25 15:55:07 web-1 sshd[812]: Starting session: shell on pts/0 for ann from 203.0.113.9 port 40122 id 0',
    { category: 'session', action: 'ssh-session', outcome: 'success', user: 'ann', tty: 'pts/0', ...peer(40122) },
  ],
  [
    'Nov 25 15:55:07 web-1 sshd[812]: pam_unix(sshd:session): session opened for user ann(uid=1000) by (uid=0)',
    { category: 'session', action: 'session-opened', outcome: 'success', user: '', targetUser: 'ann' },
  ],
  [
    'Nov 25 15:55:07 web-1 su[9]: pam_unix(su:session): session opened for user root by ann(uid=1000)',
    { category: 'session', action: 'session-opened', outcome: 'success', user: 'ann', targetUser: 'root' },
  ],
  [
    'Nov 25 15:55:07 web-1 sshd[812]: pam_unix(sshd:session): session closed for user ann',
    { category: 'session', action: 'session-closed', outcome: 'success', user: '', targetUser: 'ann' },
  ],
  [
    'Nov 25 15:55:07 web-1 sshd[812]: pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.9  user=root',
    {
      category: 'authentication',
      action: 'pam-authentication',
      outcome: 'failure',
      user: '',
      targetUser: 'root',
      tty: 'ssh',
      ...peer(0),
    },
  ],
  [
    'Nov 25 15:55:07 web-1 sudo:      ann : TTY=pts/0 ; PWD=/home/ann ; USER=root ; COMMAND=/usr/bin/bash -c id; x',
    {
      category: 'process',
      action: 'sudo-command',
      outcome: 'success',
      user: 'ann',
      targetUser: 'root',
      tty: 'pts/0',
      workingDirectory: '/home/ann',
      command: '/usr/bin/bash -c id; x',
    },
  ],
  [
    'Nov 25 15:55:07 web-1 sudo:      ann : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/sh',
    {
      category: 'process',
      action: 'sudo-command',
      outcome: 'failure',
      user: 'ann',
      targetUser: 'root',
      tty: 'pts/0',
      workingDirectory: '/',
      command: '/bin/sh',
    },
  ],
  [
    'Nov 25 15:55:07 web-1 sudo: bob : user NOT in sudoers ; PWD=/ ; USER=root ; COMMAND=/bin/sh',
    {
      category: 'process',
      action: 'sudo-command',
      outcome: 'failure',
      user: 'bob',
      targetUser: 'root',
      tty: '',
      workingDirectory: '/',
      command: '/bin/sh',
    },
  ],
  [
    'Nov 25 15:55:07 web-1 su[77]: (to root) ann on pts/0',
    { category: 'authentication', action: 'su', outcome: 'success', user: 'ann', targetUser: 'root', tty: 'pts/0' },
  ],
  [
    'Nov 25 15:55:07 web-1 su[77]: FAILED SU (to root) ann on pts/0',
    { category: 'authentication', action: 'su', outcome: 'failure', user: 'ann', targetUser: 'root', tty: 'pts/0' },
  ],
  [
    'Nov 25 15:55:07 web-1 su[77]: Successful su for root by ann',
    { category: 'authentication', action: 'su', outcome: 'success', user: 'ann', targetUser: 'root' },
  ],
  [
    'Nov 25 15:17:01 web-1 CRON[501]: (root) CMD (   cd / && run-parts --report /etc/cron.hourly)',
    {
      category: 'process',
      action: 'cron-command',
      outcome: 'success',
      user: 'root',
      targetUser: 'root',
      command: '   cd / && run-parts --report /etc/cron.hourly',
    },
  ],
  [
    'Nov 25 15:17:01 web-1 crontab[501]: (ann) REPLACE (root)',
    { category: 'process', action: 'crontab-replaced', outcome: 'success', user: 'ann', targetUser: 'root' },
  ],
  [
    'Nov 25 15:55:07 web-1 useradd[90]: new user: name=eve, UID=1001, GID=1001, home=/home/eve, shell=/bin/bash, from=/dev/pts/1',
    { category: 'iam', action: 'user-created', outcome: 'success', targetUser: 'eve' },
  ],
  [
    "Nov 25 15:55:07 web-1 usermod[90]: add 'eve' to group 'sudo'",
    { category: 'iam', action: 'group-member-added', outcome: 'success', targetUser: 'eve' },
  ],
  [
    'Nov 25 15:55:07 web-1 gpasswd[90]: user eve added by root to group sudo',
    { category: 'iam', action: 'group-member-added', outcome: 'success', targetUser: 'eve', user: 'root' },
  ],
  [
    'Nov 25 15:55:07 web-1 groupadd[90]: new group: name=eve, GID=1001',
    { category: 'iam', action: 'group-created', outcome: 'success', targetUser: '' },
  ],
  [
    "Nov 25 15:55:07 web-1 userdel[90]: delete user 'eve'",
    { category: 'iam', action: 'user-deleted', outcome: 'success', targetUser: 'eve' },
  ],
  [
    'Nov 25 15:55:07 web-1 passwd[90]: pam_unix(passwd:chauthtok): password changed for eve',
    { category: 'iam', action: 'password-changed', outcome: 'success', targetUser: 'eve' },
  ],
  [
    'Nov 25 15:55:07 web-1 systemd-logind[4]: New session 12 of user ann.',
    { category: 'session', action: 'logind-session-opened', outcome: 'success', targetUser: 'ann' },
  ],
  [
    'Nov 25 15:55:07 web-1 systemd-logind[4]: Removed session 12.',
    { category: 'session', action: 'logind-session-closed' },
  ],
  // Unknown lines, and lines with only the beginning of a known one.
  ['Nov 25 15:55:07 web-1 kernel: [    1.234567] usb 1-1: new device', {}],
  ['Nov 25 15:55:07 web-1 nginx[3]: Accepted password for root from 203.0.113.9 port 1 ssh2', {}],
  ['Nov 25 15:55:07 web-1 sshd[812]: Accepted password for root', {}],
  ['Nov 25 15:55:07 web-1 sshd[812]: Accepted password for root from unknown port 1 ssh2', {}],
  ['Nov 25 15:55:07 web-1 sudo: pam_limits(sudo:session): invalid line', {}],
  ['Accepted password for root from 203.0.113.9 port 40122 ssh2', {}],
  ['', {}],
];

/** Lines that an attacker forges with a chosen user name or directory. */
const FORGED: readonly (readonly [title: string, line: string, parsed: Partial<Parsed>])[] = [
  [
    'a name that looks like the end of the line',
    'Nov 25 15:55:07 web-1 sshd[812]: Failed password for invalid user root from 10.0.0.1 port 22 ssh2 from 203.0.113.9 port 40123 ssh2',
    { outcome: 'failure', user: 'root from 10.0.0.1 port 22 ssh2', ...peer(40123) },
  ],
  [
    'a name with a key in it',
    'Nov 25 15:55:07 web-1 sshd[812]: Failed publickey for invalid user a from 10.0.0.1 port 2 ssh2: RSA SHA256:x from 203.0.113.9 port 9 ssh2: RSA SHA256:y',
    { fingerprint: 'SHA256:y', ...peer(9) },
  ],
  [
    'a name with a peer, disconnecting',
    'Nov 25 15:55:07 web-1 sshd[812]: Disconnected from invalid user a 10.0.0.1 port 1 203.0.113.9 port 9 [preauth]',
    { user: 'a 10.0.0.1 port 1', ...peer(9) },
  ],
  [
    'a name with rhost in it',
    'Nov 25 15:55:07 web-1 sshd[812]: pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.9  user=x rhost=10.0.0.1 user=root',
    { targetUser: 'x rhost=10.0.0.1 user=root', ...peer(0) },
  ],
  [
    'a command with a second command in it',
    'Nov 25 15:55:07 web-1 sudo: ann : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/echo ; COMMAND=/bin/true ; USER=bob',
    { targetUser: 'root', command: '/bin/echo ; COMMAND=/bin/true ; USER=bob' },
  ],
  [
    'a message with a syslog header in it',
    'Nov 25 15:55:07 web-1 app[1]: x Nov 25 15:55:07 web-1 sshd[812]: Accepted password for root from 10.0.0.1 port 1 ssh2',
    {},
  ],
];

const parseLine = (line: string): Parsed => {
  const { program, text } = parseSyslog(line);
  return parseMessage(program, text);
};

describe('lines of programs', () => {
  for (const [line, parsed] of GOLDEN) it(`${line.slice(0, 120)}`, () => assert.deepEqual(parseLine(line), parsed));
});

describe('forged lines', () => {
  for (const [title, line, parsed] of FORGED) {
    it(title, () => {
      const found = parseLine(line);
      const actual = Object.fromEntries(Object.keys(parsed).map((key) => [key, found[key as keyof Parsed]]));
      assert.deepEqual(actual, parsed);
      if (Object.keys(parsed).length === 0) assert.deepEqual(found, {});
    });
  }

  it('of arbitrary words throw no error', () => {
    const words = [
      'sshd[',
      ']: ',
      ' from ',
      ' port ',
      'Failed ',
      ' for ',
      '(',
      ')',
      ' CMD (',
      "'",
      ' ; ',
      'COMMAND=',
      '<34>1 ',
      '[',
      '\\',
      '\0',
      ' by ',
      'pam_unix(',
      ':',
      'su for ',
    ];
    let seed = 7;
    const next = (max: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed % max;
    };
    const programs = ['sshd', 'sudo', 'su', 'CRON', 'crontab', 'useradd', 'systemd-logind'];
    for (let round = 0; round < 20_000; round++) {
      const text = Array.from({ length: next(12) }, () => words[next(words.length)]).join('');
      parseLine(text);
      for (const program of programs) parseMessage(program, text);
    }
  });
});

describe('the syslog header', () => {
  const cases: readonly (readonly [line: string, program: string, pid: number, text: string])[] = [
    ['<34>Oct 11 22:14:15 host su: text', 'su', 0, 'text'],
    ['<165>1 2003-10-11T22:14:15.003Z host app 8710 - - text: x', 'app', 8710, 'text: x'],
    ['<165>1 2003-10-11T22:14:15.003Z host app - ID [a b="\\]"][c] text', 'app', 0, 'text'],
    ['Oct 11 22:14:15 host /usr/sbin/cron[7]: text', 'cron', 7, 'text'],
    ['Oct 11 22:14:15 host last message repeated 2 times', '', 0, 'last message repeated 2 times'],
    ['Oct 11 22:14:15 host app[99999999999]: text', 'app', 0, 'text'],
    ['plain text: of no program', '', 0, 'plain text: of no program'],
    [`Oct 11 22:14:15 host ${'a'.repeat(500)}: text`, '', 0, `${'a'.repeat(500)}: text`],
  ];
  for (const [line, program, pid, text] of cases)
    it(line.slice(0, 60), () => assert.deepEqual(parseSyslog(line), { program, pid, text }));
});
