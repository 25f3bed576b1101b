import { O } from '@ringfence/testkit';
import { UNSET_ID } from '@ringfence/wire';
import { REMOTE, type Scene, testContent } from './support.ts';

const WRITE = O.WRONLY | O.CREAT | O.TRUNC;
const SETID = { mode: 0o104755 };

const byShell = (path: string) => (s: Scene) => s.open(s.start('/bin/bash'), path, WRITE);
const byDpkg = (path: string) => (s: Scene) => s.open(s.start('/usr/bin/dpkg --unpack x.deb'), path, WRITE);
const moved =
  (by: string, target: string, result = 0) =>
  (s: Scene) =>
    s.change(s.start(by), 'RENAME', '/tmp/x', { target, result });

type Changed = NonNullable<Parameters<Scene['change']>[3]>;
const changed = (by: 'chmod' | 'chown', path: string, values: Changed) => (s: Scene) =>
  s.change(s.start(`/usr/bin/${by} x ${path}`), by === 'chmod' ? 'CHMOD' : 'CHOWN', path, values);

testContent('accounts.yaml', {
  'Second root account made': {
    as: 'critical persistence T1136.001',
    fires: {
      useradd: (s) => s.start('/usr/sbin/useradd -o -u 0 -g 0 toor'),
      usermod: (s) => s.start('/usr/sbin/usermod -ou 0 eve', s.inside),
    },
    quiet: {
      'a number of its own': (s) => s.start('/usr/sbin/useradd -u 1005 bob'),
      'two names of a service': (s) => s.start('/usr/sbin/useradd -o -u 33 www2'),
    },
  },
  'User database moved into place': {
    as: 'error persistence privilege-escalation T1136.001 T1098',
    fires: {
      'mv puts another there': moved('/usr/bin/mv x /etc/shadow', '/etc/shadow'),
      'a link': (s) => s.change(s.start('/usr/bin/ln'), 'SYMLINK', '/etc/sudoers', { target: '/tmp/x' }),
      'sed edits the users': moved('/usr/bin/sed -i s/x/y/ /etc/passwd', '/etc/passwd'),
    },
    quiet: {
      'useradd does': moved('/usr/sbin/useradd bob', '/etc/passwd'),
      'a copy is kept': moved('/usr/bin/mv x /etc/passwd.orig', '/etc/passwd.orig'),
      'passwd does': moved('/usr/bin/passwd', '/etc/shadow'),
      'visudo does': moved('/usr/sbin/visudo', '/etc/sudoers'),
      'it may not': moved('/usr/bin/mv x /etc/shadow', '/etc/shadow', -13),
      'a copy is moved away': (s) =>
        s.change(s.start('/usr/bin/mv'), 'RENAME', '/etc/shadow.bak', { target: '/root/shadow.bak' }),
    },
  },
  'SSH authorized keys moved into place': {
    as: 'error persistence T1098.004',
    fires: {
      'by mv': moved('/usr/bin/mv x y', '/root/.ssh/authorized_keys'),
      'by a link': (s) =>
        s.change(s.start('/usr/bin/ln'), 'SYMLINK', '/home/git/.ssh/authorized_keys', { target: '/tmp/k' }),
    },
    quiet: {
      'hosts that are known': moved('/usr/bin/ssh-keygen -R x', '/root/.ssh/known_hosts'),
      'it may not': moved('/usr/bin/mv x y', '/root/.ssh/authorized_keys', -13),
    },
  },
  'Sudo rule moved into place': {
    as: 'error privilege-escalation T1548.003',
    fires: { 'by mv': moved('/usr/bin/mv x y', '/etc/sudoers.d/x') },
    quiet: {
      'visudo does': moved('/usr/sbin/visudo -f x', '/etc/sudoers.d/x'),
      'a package brings one': moved('/usr/bin/dpkg --unpack x', '/etc/sudoers.d/x'),
      'it is taken away': (s) => s.change(s.start('/usr/bin/mv'), 'RENAME', '/etc/sudoers.d/x', { target: '/root/x' }),
    },
  },
  'Rule of doas or polkit written': {
    as: 'error privilege-escalation T1548',
    fires: { doas: byShell('/etc/doas.conf'), polkit: byShell('/etc/polkit-1/rules.d/10-x.rules') },
    quiet: {
      'a package brings one': byDpkg('/usr/share/polkit-1/rules.d/x.rules'),
      'polkitd reads them': (s) =>
        s.open(s.start('/usr/lib/polkit-1/polkitd', s.init), '/etc/polkit-1/rules.d/10-x.rules'),
    },
  },
  'Rule of doas or polkit moved into place': {
    as: 'error privilege-escalation T1548',
    fires: {
      'by mv': moved('/usr/bin/mv x y', '/etc/polkit-1/rules.d/x.rules'),
      'by a link': (s) => s.change(s.start('/usr/bin/ln'), 'LINK', '/tmp/doas', { target: '/etc/doas.conf' }),
    },
    quiet: {
      'a package brings one': moved('/usr/bin/dpkg --unpack x', '/usr/share/polkit-1/actions/x.policy'),
      'it may not': moved('/usr/bin/mv x y', '/etc/doas.conf', -13),
    },
  },
  'User database opened to everybody': {
    as: 'error defense-impairment T1222.002',
    fires: {
      'all may write': changed('chmod', '/etc/passwd', { mode: 0o666 }),
      'all may read': changed('chmod', '/etc/shadow', { mode: 0o644 }),
      'it is given away': changed('chown', '/etc/shadow', { uid: 1000, gid: 0 }),
    },
    quiet: {
      'as it should be': changed('chmod', '/etc/passwd', { mode: 0o644 }),
      'nobody may': changed('chmod', '/etc/shadow', { mode: 0 }),
      'root has it again': changed('chown', '/etc/shadow', { uid: 0, gid: 42 }),
      'the group alone': changed('chown', '/etc/shadow', { uid: UNSET_ID, gid: 42 }),
      'it may not': changed('chmod', '/etc/passwd', { mode: 0o666, result: -1 }),
      'a copy elsewhere': changed('chmod', '/srv/root/etc/passwd', { mode: 0o666 }),
    },
  },
  'Check of passwords moved into place': {
    as: 'error persistence credential-access defense-impairment T1556.003',
    fires: {
      'its configuration': moved('/usr/bin/mv x y', '/etc/pam.d/sshd'),
      'a module': moved('/usr/bin/mv x y', '/usr/lib/x86_64-linux-gnu/security/pam_unix.so'),
      'by a link': (s) => s.change(s.start('/usr/bin/ln'), 'SYMLINK', '/etc/pam.d/su', { target: '/tmp/x' }),
    },
    quiet: {
      'pam-auth-update does': moved('/usr/bin/perl -w /usr/sbin/pam-auth-update', '/etc/pam.d/common-auth'),
      'a package brings a module': moved('/usr/bin/dpkg --unpack x', '/lib/x86_64-linux-gnu/security/pam_x.so'),
      'another library': moved('/usr/bin/mv x y', '/usr/lib/x86_64-linux-gnu/libpam.so.0'),
    },
  },
  'Check of passwords changed': {
    as: 'error persistence credential-access T1556.003',
    fires: {
      'its configuration': byShell('/etc/pam.d/sshd'),
      'a module': byShell('/usr/lib/x86_64-linux-gnu/security/pam_unix.so'),
    },
    quiet: {
      'a package brings it': byDpkg('/etc/pam.d/sudo.dpkg-new'),
      'pam-auth-update': (s) =>
        s.open(s.start('/usr/bin/perl -w /usr/sbin/pam-auth-update --package'), '/etc/pam.d/common-auth', WRITE),
      'a login reads it': (s) => s.open(s.start('/usr/bin/login'), '/etc/pam.d/login'),
    },
  },
  'Configuration of the SSH server written': {
    as: 'notice persistence T1098.004',
    fires: { 'by a shell': byShell('/etc/ssh/sshd_config') },
    quiet: {
      'the client is configured': byShell('/etc/ssh/ssh_config'),
      'a package brings it': byDpkg('/etc/ssh/sshd_config.dpkg-new'),
    },
  },
  "Configuration of the SSH server written by a server's command": {
    as: 'critical persistence T1098.004',
    fires: {
      'in a reverse shell': (s) => s.open(s.start('/usr/bin/sed -i x', s.shell, REMOTE), '/etc/ssh/sshd_config', WRITE),
    },
    quiet: {
      'an administrator': byShell('/etc/ssh/sshd_config'),
      'it is read': (s) => s.open(s.start('/usr/bin/cat', s.shell, REMOTE), '/etc/ssh/sshd_config'),
    },
  },
  'Password hash given on a command line': {
    as: 'notice persistence T1098',
    fires: { useradd: (s) => s.start('/usr/sbin/useradd -m -p $6$x$y eve') },
    quiet: {
      'a package script': (s) => s.start('/usr/sbin/useradd -p x y', s.start('/usr/bin/dpkg --configure x')),
      'none is given': (s) => s.start('/usr/sbin/useradd -m bob'),
    },
  },
  'Sudo tricked into root': {
    as: 'critical privilege-escalation T1068',
    fires: {
      'a user that there is not': (s) => s.start('/usr/bin/sudo -u#-1 id'),
      'a line that does not end': (s) =>
        s.start(['sudoedit', '-s', 'x\\'], s.shell, { filename: '/usr/bin/sudoedit' }, '/usr/bin/sudo'),
    },
    quiet: {
      'another user': (s) => s.start('/usr/bin/sudo -u#1000 id'),
      'a shell': (s) => s.start('/usr/bin/sudo -s'),
      'a file is edited': (s) =>
        s.start('sudoedit /etc/hosts', s.shell, { filename: '/usr/bin/sudoedit' }, '/usr/bin/sudo'),
    },
  },
  'Shell with the set-user-id bit': {
    as: 'critical privilege-escalation T1548.001',
    fires: { 'a copy': (s) => s.change(s.start('/usr/bin/chmod 4755 bash'), 'CHMOD', '/var/tmp/bash', SETID) },
    quiet: {
      'another program': (s) => s.change(s.start('/usr/bin/chmod 4755 x'), 'CHMOD', '/usr/local/bin/helper', SETID),
      'without the bit': (s) => s.change(s.start('/usr/bin/chmod 755 bash'), 'CHMOD', '/tmp/bash', { mode: 0o100755 }),
      'it may not': (s) => s.change(s.start('/usr/bin/chmod'), 'CHMOD', '/tmp/bash', { ...SETID, result: -1 }),
    },
  },
  'Capability given to a file in a scratch folder': {
    as: 'error privilege-escalation T1548.001',
    fires: {
      'in /tmp': (s) =>
        s.change(s.start('/usr/sbin/setcap cap_setuid+ep /tmp/x'), 'SETXATTR', '/tmp/x', {
          target: 'security.capability',
        }),
    },
    quiet: {
      'an archive is unpacked': (s) =>
        s.change(s.start('/usr/bin/tar x'), 'SETXATTR', '/tmp/x', { target: 'security.capability' }),
      'another attribute': (s) => s.change(s.start('/usr/bin/setfattr'), 'SETXATTR', '/tmp/x', { target: 'user.x' }),
      'a program of the system': (s) =>
        s.change(s.start('/usr/sbin/setcap x'), 'SETXATTR', '/usr/bin/ping', { target: 'security.capability' }),
    },
  },
});
