import type { ExecValues, TestProcess } from '@ringfence/testkit';
import { NOBODY, REMOTE, type Scene, testContent } from './support.ts';

const REFUSED = { result: -111 };

const started = (words: string) => (s: Scene) => s.start(words);

function ask(s: Scene, parent: TestProcess, commands: string, values: ExecValues = {}): void {
  for (const name of commands.split(' ')) s.start(`/usr/bin/${name}`, parent, values);
}

function pings(s: Scene, count: number, parent: TestProcess = s.shell): void {
  for (let host = 1; host <= count; host++) s.start(`/usr/bin/ping -c 1 10.0.0.${host}`, parent);
}

function ports(s: Scene, process: TestProcess, address: string, count: number): void {
  for (let port = 1; port <= count; port++) s.connect(process, address, port, REFUSED);
}

testContent('reconnaissance.yaml', {
  'Burst of questions about the machine': {
    as: 'notice discovery T1082 T1033 T1016 T1057',
    fires: { 'by a script': (s) => ask(s, s.start('/bin/sh x.sh'), 'id whoami uname hostname ip ss ps df') },
    quiet: {
      seven: (s) => ask(s, s.shell, 'id whoami uname hostname ip ss ps'),
      'the same again and again': (s) => ask(s, s.shell, 'ps ps ps ps ps ps ps ps ps ps'),
      'over a minute': (s) => {
        s.step = 5_000_000;
        ask(s, s.shell, 'id whoami uname hostname ip ss ps df');
      },
    },
  },
  "Burst of questions by a server's command": {
    as: 'error discovery T1082 T1033 T1016 T1057',
    fires: {
      'in a reverse shell': (s) => ask(s, s.start('/bin/sh', s.inside, REMOTE), 'id uname ps ip', REMOTE),
      'under a web server': (s) =>
        ask(s, s.start('/bin/sh -c x', s.start('/usr/sbin/httpd', s.init), NOBODY), 'id uname ps ip', NOBODY),
    },
    quiet: {
      three: (s) => ask(s, s.start('/bin/sh', s.inside, REMOTE), 'id uname ps', REMOTE),
      'a person who logged in': (s) => ask(s, s.shell, 'id uname ps ip df'),
    },
  },
  'Files searched for ways to root': {
    as: 'notice discovery T1083',
    fires: {
      'set-user-id programs': started('/usr/bin/find / -perm -4000 -type f'),
      'the other way to say it': started('/usr/bin/find / -perm /u+s'),
      capabilities: started('/usr/sbin/getcap -r /'),
    },
    quiet: {
      'files without a right': started('/usr/bin/find . -perm 640'),
      'of one file': started('/usr/sbin/getcap /usr/bin/ping'),
    },
  },
  "Files searched for ways to root by a server's command": {
    as: 'error discovery T1083',
    fires: {
      'in a reverse shell': (s) => s.start('/usr/bin/find / -perm -u=s', s.start('/bin/sh', s.inside, REMOTE), REMOTE),
    },
    quiet: {
      'an administrator': started('/usr/bin/find / -perm -4000'),
      'by name': (s) => s.start('/usr/bin/find / -name x', s.inside, REMOTE),
    },
  },
  'Sweep by ping': {
    as: 'warning discovery T1018',
    fires: { 'a loop': (s) => pings(s, 20) },
    quiet: {
      nineteen: (s) => pings(s, 19),
      'one address again and again': (s) => {
        for (let n = 0; n < 40; n++) s.start('/usr/bin/ping -c 1 10.0.0.1');
      },
    },
  },
  'Port scan': {
    as: 'error discovery T1046',
    fires: { 'of a neighbour': (s) => ports(s, s.start('/tmp/scan'), '10.0.0.9', 60) },
    quiet: {
      'fifty-nine': (s) => ports(s, s.start('/tmp/scan'), '10.0.0.9', 59),
      'of itself': (s) => ports(s, s.start('/tmp/scan'), '127.0.0.1', 100),
      'a scanner that is allowed': (s) => ports(s, s.start('/usr/bin/nmap 10.0.0.9'), '10.0.0.9', 100),
    },
  },
  'Security tools looked for': {
    as: 'notice discovery T1518.001',
    fires: {
      'in the list of processes': started('/usr/bin/grep -iE falco|auditd'),
      'by name': started('/usr/bin/pgrep auditd'),
    },
    quiet: {
      'another process': started('/usr/bin/pgrep nginx'),
      'a word in a file': started('/usr/bin/grep clamp style.css.map'),
    },
  },
  'Machine asked whether it is a virtual one': {
    as: 'notice discovery T1497.001',
    fires: {
      'of systemd': started('/usr/bin/systemd-detect-virt'),
      'of the firmware': started('/usr/bin/cat /sys/class/dmi/id/product_name'),
    },
    quiet: {
      'by the service manager': (s) => s.start('/usr/bin/systemd-detect-virt', s.init),
      'its memory': started('/usr/sbin/dmidecode -t memory'),
    },
  },
});
