import { O, type TestProcess } from '@ringfence/testkit';
import { EXEC, type Scene, testContent, USER } from './support.ts';

const TOKEN = '/run/secrets/kubernetes.io/serviceaccount/..2026_01_01/token';

/** A module of Ansible, as root by sudo. */
function ansible(s: Scene): TestProcess {
  const sudo = s.start('/usr/bin/sudo -H -S -n -u root /bin/sh -c x');
  const said = 'echo BECOME-SUCCESS-abcdefghijklmnopqrstuvwxyzabcdef ; /usr/bin/python3';
  return s.start(
    '/usr/bin/python3',
    s.start(['/bin/sh', '-c', said], sudo, {}, '/usr/bin/dash'),
    {},
    '/usr/bin/python3.11',
  );
}

testContent('credential-access.yaml', {
  'Password hashes read': {
    as: 'error credential-access T1003.008',
    fires: {
      'cat reads them': (s) => s.open(s.start('/usr/bin/cat /etc/shadow'), '/etc/shadow'),
      'a program in /tmp that calls itself sshd': (s) => s.open(s.start('/tmp/sshd'), '/etc/shadow'),
      'a line of Perl': (s) =>
        s.open(s.start(['perl', '-we', '/usr/sbin/', '/etc/shadow'], s.shell, {}, '/usr/bin/perl'), '/etc/shadow'),
      'tar is told to pack them': (s) => s.open(s.start('/usr/bin/tar c /etc/passwd /etc/shadow'), '/etc/shadow'),
      'a script that is called like a backup': (s) =>
        s.open(s.start('/usr/bin/python3 /tmp/usr/bin/borg create'), '/etc/shadow'),
      'Python says that it is a module of Ansible, far from sudo': (s) =>
        s.open(s.start('/usr/bin/python3 /tmp/ansible-tmp-1.2-3/AnsiballZ_user.py', s.init), '/etc/shadow'),
      'file takes them for a list of names': (s) => s.open(s.start('/usr/bin/file -f /etc/shadow'), '/etc/shadow'),
      'the backup copy': (s) => s.open(s.start('/usr/bin/cat /etc/shadow-'), '/etc/shadow-'),
      'in a container': (s) => s.open(s.start('/bin/cat /etc/shadow', s.inside), '/etc/shadow'),
      'by io_uring': (s) => s.event(s.start('/opt/x'), 'IoUring', { opcode: 18, path: '/etc/shadow', result: 5 }),
      'by io_uring, which is to tell nobody': (s) =>
        s.event(s.start('/opt/x'), 'IoUring', { opcode: 28, path: '/etc/shadow', resultUnknown: true }),
    },
    quiet: {
      'io_uring is refused': (s) =>
        s.event(s.start('/opt/x'), 'IoUring', { opcode: 18, path: '/etc/shadow', result: -13 }),
      'io_uring unlinks a file of that name': (s) =>
        s.event(s.start('/opt/x'), 'IoUring', { opcode: 36, path: '/etc/shadow' }),
      'tar packs the whole of /etc': (s) => s.open(s.start('/usr/bin/tar czf /srv/etc.tgz /etc'), '/etc/shadow'),
      'borg, which is Python': (s) =>
        s.open(
          s.start('/usr/bin/python3 /usr/bin/borg create ::one /etc', s.shell, {}, '/usr/bin/python3.11'),
          '/etc/shadow',
        ),
      'Ansible asks what kind of a file it is': (s) =>
        s.open(s.start('/usr/bin/file --mime-type --mime-encoding /etc/shadow'), '/etc/shadow'),
      'lsattr shows its attributes': (s) => s.open(s.start('/usr/bin/lsattr -vd /etc/shadow'), '/etc/shadow'),
      'Ansible changes an account': (s) => s.open(ansible(s), '/etc/shadow'),
      'sshd checks a password': (s) => s.open(s.start('/usr/lib/openssh/sshd-session', s.sshd), '/etc/shadow'),
      'screen looks for the password of its lock': (s) => s.open(s.start('/usr/bin/screen -dmS x'), '/etc/shadow'),
      'sudo checks a password': (s) => s.open(s.start('/usr/bin/sudo -s'), '/etc/shadow'),
      'cron checks an account': (s) => s.open(s.start('/usr/sbin/cron -f', s.init), '/etc/shadow'),
      'adduser, which is Perl': (s) =>
        s.open(s.start('/usr/bin/perl /usr/sbin/adduser --system x', s.shell, { flags: EXEC.script }), '/etc/shadow'),
      'a program of the system looks a user up, in Perl': (s) =>
        s.open(s.start('/usr/bin/perl -w /usr/sbin/dpkg-reconfigure x'), '/etc/shadow'),
      "Debian's daily backup of the user database": (s) => {
        const job = s.start(
          '/bin/sh /etc/cron.daily/passwd',
          s.start('/usr/sbin/cron -f', s.init),
          {},
          '/usr/bin/dash',
        );
        s.open(s.start('cmp -s /var/backups/shadow.bak /etc/shadow', job, {}, '/usr/bin/cmp'), '/etc/shadow');
      },
      'a package script': (s) => {
        const dpkg = s.start('/usr/bin/dpkg --configure -a', s.start('/usr/bin/apt-get install x'));
        s.open(s.start('/usr/bin/grep root /etc/shadow', s.start('/bin/sh postinst', dpkg)), '/etc/shadow');
      },
      'a user who may not': (s) =>
        s.open(s.start('/usr/bin/cat /etc/shadow'), '/etc/shadow', O.RDONLY, { result: -13 }),
      'cat reads passwd': (s) => s.open(s.start('/usr/bin/cat /etc/passwd'), '/etc/passwd'),
    },
  },
  'Private SSH key read': {
    as: 'error credential-access T1552.004',
    fires: {
      'cat reads a key': (s) => s.open(s.start('/usr/bin/cat id_ed25519'), '/root/.ssh/id_ed25519'),
      'tar reads the key of the host': (s) => s.open(s.start('/usr/bin/tar c /etc/ssh'), '/etc/ssh/ssh_host_rsa_key'),
      'a program called ssh in a scratch folder': (s) => s.open(s.start('/tmp/ssh'), '/home/ann/.ssh/id_rsa'),
    },
    quiet: {
      'a key is brought': (s) => s.open(s.start('/usr/bin/cp a b'), '/root/.ssh/id_rsa', O.WRONLY | O.CREAT),
      'ssh logs in': (s) => s.open(s.start('/usr/bin/ssh web'), '/root/.ssh/id_ed25519'),
      'sshd starts': (s) => s.open(s.sshd, '/etc/ssh/ssh_host_ed25519_key'),
      'cat reads the public half': (s) => s.open(s.start('/usr/bin/cat k'), '/etc/ssh/ssh_host_rsa_key.pub'),
      'tar packs the home folders': (s) =>
        s.open(s.start('/usr/bin/tar czf /srv/home.tgz /home'), '/home/ann/.ssh/id_rsa'),
      'backup by a tool in Python': (s) =>
        s.open(s.start('/usr/bin/python3 /usr/bin/borg create ::one /home'), '/home/ann/.ssh/id_rsa'),
      'backup by its own tool': (s) => s.open(s.start('/usr/bin/restic backup /'), '/home/ann/.ssh/id_rsa'),
    },
  },
  'Cloud credentials read in a container': {
    as: 'warning credential-access T1552.001',
    fires: {
      'cat reads the token of the cluster': (s) => s.open(s.start('/bin/cat t', s.inside), TOKEN),
      'busybox reads the keys of an account': (s) =>
        s.open(s.start('cat c', s.inside, {}, '/bin/busybox'), '/root/.aws/credentials'),
      'curl sends them': (s) => s.open(s.start('/usr/bin/curl -T x u', s.inside), '/root/.kube/config'),
    },
    quiet: {
      'the application reads its own token': (s) => s.open(s.inside, TOKEN),
      'cat reads a setting': (s) => s.open(s.start('/bin/cat c', s.inside), '/root/.aws/config'),
      'an administrator on the host': (s) => s.open(s.start('/usr/bin/cat c'), '/root/.aws/credentials'),
    },
  },
  'Cloud metadata service asked from a container': {
    as: 'warning credential-access T1552.005',
    fires: {
      'curl asks it': (s) => s.connect(s.start('/usr/bin/curl u', s.inside), '169.254.169.254', 80),
      'bash asks it by /dev/tcp': (s) => s.connect(s.start('/bin/bash', s.inside), '169.254.169.254', 80),
    },
    quiet: {
      'the application asks it': (s) => s.connect(s.inside, '169.254.169.254', 80),
      'curl asks a neighbour': (s) => s.connect(s.start('/usr/bin/curl u', s.inside), '169.254.1.1', 80),
      'cloud tools of the host': (s) => s.connect(s.start('/usr/bin/curl u'), '169.254.169.254', 80),
    },
  },
  'Memory of another process read': {
    as: 'warning credential-access T1003.007',
    fires: {
      'python reads the memory of a process': (s) => s.open(s.start('/usr/bin/python3 dump.py'), '/proc/812/mem'),
      'a program writes into it': (s) => s.open(s.start('/opt/inject'), '/proc/812/mem', O.WRONLY),
      'grep searches environments': (s) => s.open(s.start('/usr/bin/grep -a KEY'), '/proc/812/environ'),
      'Perl does, by a script that is called like needrestart': (s) =>
        s.open(s.start('/usr/bin/perl /tmp/usr/sbin/needrestart', s.shell, {}, '/usr/bin/perl'), '/proc/812/environ'),
    },
    quiet: {
      'needrestart looks for old libraries': (s) =>
        s.open(s.start('/usr/bin/perl -w /usr/sbin/needrestart -m a', s.shell, {}, '/usr/bin/perl'), '/proc/1/environ'),
      'a file of that name elsewhere': (s) => s.open(s.start('/usr/bin/cat mem'), '/srv/app/mem'),
      'an application reads its own environment': (s) => s.open(s.start('/app/server'), '/proc/812/environ'),
      'gdb debugs': (s) => s.open(s.start('/usr/bin/gdb -p 812'), '/proc/812/mem', O.RDWR),
      'ps shows environments': (s) => s.open(s.start('/usr/bin/ps eww'), '/proc/812/environ'),
      'cat reads a status': (s) => s.open(s.start('/usr/bin/cat s'), '/proc/812/status'),
      meminfo: (s) => s.open(s.start('/usr/bin/free'), '/proc/meminfo'),
    },
  },
  'SSH password guessing': {
    as: 'notice credential-access T1110.001',
    fires: {
      '20 in a row': (s) => {
        for (let i = 0; i < 20; i++)
          s.log(`sshd[${i + 1}]: Failed password for root from 203.0.113.9 port ${i + 1} ssh2`);
      },
    },
    quiet: {
      'one fewer': (s) => {
        for (let i = 0; i < 19; i++)
          s.log(`sshd[${i + 1}]: Failed password for root from 203.0.113.9 port ${i + 1} ssh2`);
      },
      'from as many addresses': (s) => {
        for (let i = 0; i < 30; i++) s.log(`sshd[1]: Failed password for root from 203.0.113.${i} port 1 ssh2`);
      },
      'a job that logs in each second': (s) => {
        for (let i = 0; i < 30; i++) s.log('sshd[1]: Accepted publickey for ann from 203.0.113.9 port 1 ssh2');
      },
    },
  },
  'Local password guessing': {
    as: 'warning credential-access T1110.001',
    fires: {
      'su is asked again and again': (s) => {
        const su = s.start('/usr/bin/su', s.shell, USER);
        for (let i = 0; i < 10; i++) s.authenticate(su, 'su', 'root', 7);
      },
    },
    quiet: {
      'somebody mistypes': (s) => {
        for (let i = 0; i < 9; i++) s.authenticate(s.shell, 'sudo', 'ann', 7);
      },
      'passwords are right': (s) => {
        for (let i = 0; i < 30; i++) s.authenticate(s.shell, 'sudo', 'ann');
      },
      'sshd, which has its own rules': (s) => {
        for (let i = 0; i < 30; i++) s.authenticate(s.sshd, 'sshd', 'root', 7, '203.0.113.9');
      },
    },
  },
  'SSH password spraying': {
    as: 'notice credential-access T1110.003',
    fires: {
      'ten names, known ones or not': (s) => {
        for (let i = 0; i < 10; i++)
          s.log(`sshd[1]: Failed password for ${i % 2 ? 'invalid user ' : ''}user${i} from 203.0.113.9 port 1 ssh2`);
      },
    },
    quiet: {
      'one name often': (s) => {
        for (let i = 0; i < 18; i++) s.log('sshd[1]: Failed password for ann from 203.0.113.9 port 1 ssh2');
      },
      'one name each from many places': (s) => {
        for (let i = 0; i < 18; i++) s.log(`sshd[1]: Failed password for user${i} from 203.0.113.${i} port 1 ssh2`);
      },
    },
  },
});
