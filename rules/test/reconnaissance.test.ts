import type { ExecValues, SyntheticProcess } from '@ringfence/synthetic';
import { asksFor } from './packets.ts';
import { NOBODY, REMOTE, type Scene, testContent, underWebServer } from './support.ts';

const REFUSED = { result: -111 };

const started = (words: string) => (s: Scene) => s.start(words);

function ask(s: Scene, parent: SyntheticProcess, commands: string, values: ExecValues = {}): void {
  for (const name of commands.split(' ')) s.start(`/usr/bin/${name}`, parent, values);
}

function pings(s: Scene, count: number, parent: SyntheticProcess = s.shell): void {
  for (let host = 1; host <= count; host++) s.start(`/usr/bin/ping -c 1 10.0.0.${host}`, parent);
}

function ports(s: Scene, process: SyntheticProcess, address: string, count: number): void {
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
    as: 'notice stealth discovery T1497.001',
    fires: {
      'of systemd': started('/usr/bin/systemd-detect-virt'),
      'of the firmware': started('/usr/bin/cat /sys/class/dmi/id/product_name'),
    },
    quiet: {
      'by the service manager': (s) => s.start('/usr/bin/systemd-detect-virt', s.init),
      'its memory': started('/usr/sbin/dmidecode -t memory'),
    },
  },
  "Accounts and groups listed by a server's command": {
    as: 'notice discovery T1087.001 T1069.001',
    fires: {
      'the file of users': (s) => s.start('/usr/bin/cat /etc/passwd', ...underWebServer(s)),
      'in a reverse shell': (s) => s.start('/usr/bin/getent group', s.start('/bin/sh', s.inside, REMOTE), REMOTE),
    },
    quiet: {
      'an administrator': (s) => s.start('/usr/bin/cat /etc/passwd'),
      'a name is looked up': (s) => s.start('/usr/bin/getent hosts db-1', ...underWebServer(s)),
      'another file': (s) => s.start('/usr/bin/cat /etc/hostname', ...underWebServer(s)),
    },
  },
  "Services listed by a server's command": {
    as: 'notice discovery T1007',
    fires: {
      units: (s) => s.start('/usr/bin/systemctl list-units --all', ...underWebServer(s)),
      'their folder': (s) => s.start('/usr/bin/ls -la /etc/systemd/system', ...underWebServer(s)),
    },
    quiet: {
      'an administrator': (s) => s.start('/usr/bin/systemctl list-units'),
      'one is started again': (s) => s.start('/usr/bin/systemctl reload nginx', ...underWebServer(s)),
    },
  },
  "Connections listed by a server's command": {
    as: 'notice discovery T1049',
    fires: {
      'what listens': (s) => s.start('/usr/bin/ss -tulpn', ...underWebServer(s)),
      'without a tool': (s) => s.start('/usr/bin/cat /proc/net/tcp', ...underWebServer(s)),
    },
    quiet: {
      'an administrator': (s) => s.start('/usr/bin/ss -tulpn'),
      'open files of a process': (s) => s.start('/usr/bin/lsof -p 42', ...underWebServer(s)),
    },
  },
  "Disks and devices listed by a server's command": {
    as: 'notice discovery T1680 T1120 T1652',
    fires: {
      disks: (s) => s.start('/usr/bin/lsblk -f', ...underWebServer(s)),
      modules: (s) => s.start('/usr/bin/cat /proc/modules', ...underWebServer(s)),
    },
    quiet: {
      'an administrator': (s) => s.start('/usr/bin/lsblk'),
      "a disk's room": (s) => s.start('/usr/bin/df -h', ...underWebServer(s)),
    },
  },
  "Logs read by a server's command": {
    as: 'notice discovery T1654',
    fires: {
      logins: (s) => s.start('/usr/bin/grep Accepted /var/log/auth.log', ...underWebServer(s)),
      'the journal': (s) => s.start('/usr/bin/journalctl -u ssh', ...underWebServer(s)),
    },
    quiet: {
      'an administrator': (s) => s.start('/usr/bin/journalctl -u ssh'),
      'its own log': (s) => s.start('/usr/bin/tail /var/log/httpd/error_log', ...underWebServer(s)),
    },
  },
  "Rules for passwords asked by a server's command": {
    as: 'notice discovery T1201',
    fires: {
      'how old they may be': (s) => s.start('/usr/bin/chage -l root', ...underWebServer(s)),
      'the file': (s) => s.start('/usr/bin/cat /etc/login.defs', ...underWebServer(s)),
    },
    quiet: {
      'an administrator': (s) => s.start('/usr/bin/chage -l ann'),
      'another file': (s) => s.start('/usr/bin/cat /etc/security/limits.conf', ...underWebServer(s)),
    },
  },
  "Shares looked for by a server's command": {
    as: 'warning discovery T1135',
    fires: {
      'of NFS': (s) => s.start('/usr/sbin/showmount -e 10.0.0.5', ...underWebServer(s)),
      'what is shared here': (s) => s.start('/usr/bin/cat /etc/exports', ...underWebServer(s)),
    },
    quiet: {
      'an administrator': (s) => s.start('/usr/sbin/showmount -e nas'),
      'a file is fetched from one': (s) => s.start('/usr/bin/smbclient //nas/web -c ls', ...underWebServer(s)),
    },
  },
  "Virtual machines and containers listed by a server's command": {
    as: 'warning discovery T1673 T1613',
    fires: {
      'of libvirt': (s) => s.start('/usr/bin/virsh list --all', ...underWebServer(s)),
      containers: (s) => s.start('/usr/bin/docker ps -a', ...underWebServer(s)),
    },
    quiet: {
      'an administrator': (s) => s.start('/usr/bin/virsh list'),
      'one is started': (s) => s.start('/usr/bin/virsh start web-2', ...underWebServer(s)),
    },
  },
  "Place, language or time asked by a server's command": {
    as: 'notice discovery T1614.001 T1124',
    fires: {
      'its zone': (s) => s.start('/usr/bin/cat /etc/timezone', ...underWebServer(s)),
      'its language': (s) => s.start('/usr/bin/localectl status', ...underWebServer(s)),
    },
    quiet: {
      'an administrator': (s) => s.start('/usr/bin/timedatectl'),
      'a database is made': (s) => s.start('/usr/bin/locale -a', ...underWebServer(s)),
      'the date': (s) => s.start('/usr/bin/date', ...underWebServer(s)),
    },
  },
  'Own address asked of a service': {
    as: 'notice discovery T1614 T1016.001',
    fires: {
      curl: (s) => asksFor(s, s.start('/usr/bin/curl https://ipinfo.io'), 'ipinfo.io'),
      'a program of nobody': (s) => asksFor(s, s.start('/tmp/x'), 'api.ipify.org'),
    },
    quiet: {
      'a browser': (s) => asksFor(s, s.start('/usr/bin/firefox'), 'ipinfo.io'),
      'one that was unpacked by hand': (s) => asksFor(s, s.start('/opt/brave.com/brave/brave'), 'ipinfo.io'),
      'another name': (s) => asksFor(s, s.start('/usr/bin/curl https://deb.debian.org'), 'deb.debian.org'),
    },
  },
  'History or bookmarks of a browser read': {
    as: 'notice discovery T1217',
    fires: {
      'of Firefox': (s) =>
        s.open(s.start('/usr/bin/sqlite3 places.sqlite'), '/home/ann/.mozilla/firefox/x.default/places.sqlite'),
      'of Chromium': (s) => s.open(s.start('/usr/bin/cp History /tmp'), '/home/ann/.config/chromium/Default/History'),
    },
    quiet: {
      'the browser does': (s) =>
        s.open(s.start('/usr/lib/firefox/firefox'), '/home/ann/.mozilla/firefox/x.default/places.sqlite'),
      'another history': (s) => s.open(s.start('/usr/bin/cat History'), '/home/ann/app/History'),
    },
  },
});
