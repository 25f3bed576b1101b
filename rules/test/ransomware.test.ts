import { O, type SyntheticProcess } from '@ringfence/synthetic';
import { asksFor } from './packets.ts';
import { NOBODY, REMOTE, type Scene, testContent } from './support.ts';

const WRITE = O.WRONLY | O.CREAT | O.TRUNC;
const BLOCK = { mode: 0o60600 };

const started = (words: string) => (s: Scene) => s.start(words);
const under = (words: string) => (s: Scene) => s.start(words, s.start('/bin/sh', s.inside, REMOTE), REMOTE);

function writes(s: Scene, process: SyntheticProcess, count: number, ending: string, folder = '/home/ann'): void {
  for (let n = 0; n < count; n++) s.open(process, `${folder}/${n}${ending}`, O.RDWR);
}

function each(s: Scene, words: readonly string[], parent: SyntheticProcess = s.shell): void {
  for (const one of words) s.start(one, parent);
}
const numbered = (count: number, words: (n: number) => string): string[] =>
  Array.from({ length: count }, (_, n) => words(n));

testContent('ransomware.yaml', {
  'Many files encrypted': {
    as: 'critical impact T1486',
    fires: { 'each beside the old one': (s) => writes(s, s.start('/tmp/x'), 20, '.docx.locked') },
    quiet: {
      nineteen: (s) => writes(s, s.start('/tmp/x'), 19, '.docx.locked'),
      'a lock of one file again and again': (s) => {
        const process = s.start('/usr/bin/apt-get update');
        for (let n = 0; n < 50; n++) s.open(process, '/var/cache/app.lock', WRITE);
      },
      'other files': (s) => writes(s, s.start('/tmp/x'), 60, '.docx'),
      slowly: (s) => {
        s.step = 1_000_000;
        writes(s, s.start('/usr/bin/sync'), 40, '.enc');
      },
    },
  },
  'Many files encrypted by a tool': {
    as: 'error impact T1486',
    fires: {
      'a loop of a shell': (s) =>
        each(
          s,
          numbered(10, (n) => `/usr/bin/openssl enc -aes-256-cbc -in ${n} -out ${n}.e`),
          s.start('/bin/sh x.sh'),
        ),
    },
    quiet: {
      nine: (s) =>
        each(
          s,
          numbered(9, (n) => `/usr/bin/openssl enc -aes-256-cbc -in ${n}`),
        ),
      'they are decrypted': (s) =>
        each(
          s,
          numbered(30, (n) => `/usr/bin/openssl enc -d -aes-256-cbc -in ${n}`),
        ),
      sums: (s) =>
        each(
          s,
          numbered(30, (n) => `/usr/bin/openssl dgst -sha256 ${n}`),
        ),
    },
  },
  'Ransom note written': {
    as: 'error impact T1486',
    fires: {
      'the common name': (s) => s.open(s.start('/tmp/x'), '/home/ann/HOW_TO_DECRYPT.txt', WRITE),
      another: (s) => s.open(s.start('/tmp/x'), '/srv/README_RESTORE_FILES.html', WRITE),
    },
    quiet: {
      'what a project says of itself': (s) => s.open(s.start('/usr/bin/git clone x'), '/home/ann/x/README.md', WRITE),
      'a program of that name': (s) => s.open(s.start('/usr/bin/vim x'), '/home/ann/x/decrypt_files.py', WRITE),
    },
  },
  'Many files of one kind overwritten in place': {
    as: 'warning impact T1486',
    fires: { 'a hundred': (s) => writes(s, s.start('/tmp/x'), 100, '.docx') },
    quiet: {
      'ninety-nine': (s) => writes(s, s.start('/tmp/x'), 99, '.docx'),
      rsync: (s) => writes(s, s.start('/usr/bin/rsync -a x y'), 300, '.docx'),
      'a build': (s) => writes(s, s.start('/home/ann/.nvm/bin/node'), 300, '.js', '/home/ann/app/node_modules/x'),
    },
  },
  'Disk overwritten by a stranger': {
    as: 'critical impact T1561',
    fires: { 'a wiper': (s) => s.open(s.start('/tmp/x'), '/dev/sda', O.WRONLY, BLOCK) },
    quiet: {
      'a file system is made': (s) => s.open(s.start('/usr/sbin/mkfs.ext4 /dev/sdb1'), '/dev/sdb1', O.RDWR, BLOCK),
      'an ordinary file': (s) => s.open(s.start('/tmp/x'), '/tmp/disk.img', O.RDWR),
    },
  },
  'Copies for restoring removed': {
    as: 'warning impact T1490',
    fires: {
      snapshots: started('/usr/sbin/zfs destroy -r tank/home@monday'),
      backups: started('/usr/bin/rm -rf /var/backups'),
    },
    quiet: {
      'they are listed': started('/usr/sbin/zfs list -t snapshot'),
      'old ones, by a timer': (s) => s.start('/usr/bin/restic forget --prune', s.init),
    },
  },
  'Many services stopped': {
    as: 'warning impact T1489',
    fires: {
      six: (s) =>
        each(
          s,
          numbered(6, (n) => `/usr/bin/systemctl stop app-${n}`),
        ),
    },
    quiet: {
      five: (s) =>
        each(
          s,
          numbered(5, (n) => `/usr/bin/systemctl stop app-${n}`),
        ),
      'they are restarted': (s) =>
        each(
          s,
          numbered(20, (n) => `/usr/bin/systemctl restart app-${n}`),
        ),
    },
  },
  'Many accounts locked': {
    as: 'error impact T1531',
    fires: {
      five: (s) =>
        each(
          s,
          numbered(5, (n) => `/usr/bin/passwd -l user${n}`),
        ),
    },
    quiet: {
      four: (s) =>
        each(
          s,
          numbered(4, (n) => `/usr/sbin/userdel user${n}`),
        ),
      'their state is asked': (s) =>
        each(
          s,
          numbered(20, (n) => `/usr/bin/passwd -S user${n}`),
        ),
    },
  },
  'Rival miners killed': {
    as: 'error impact persistence T1496.001 T1668',
    fires: { 'by name': started('/usr/bin/pkill -9 -f kdevtmpfsi') },
    quiet: {
      'another program': started('/usr/bin/pkill -9 nginx'),
      'a package of the name': started('/usr/bin/apt-cache show xmrig'),
    },
  },
  'Machine tuned for mining': {
    as: 'error impact T1496.001',
    fires: {
      'by modprobe': (s) =>
        s.start('modprobe msr allow_writes=on', s.shell, { filename: '/usr/sbin/modprobe' }, '/usr/bin/kmod'),
    },
    quiet: {
      'the module alone': (s) => s.start('modprobe msr', s.shell, { filename: '/usr/sbin/modprobe' }, '/usr/bin/kmod'),
      'registers are read': started('/usr/sbin/rdmsr 0x1a4'),
    },
  },
  "Mining pool's name asked for": {
    as: 'error impact T1496.001',
    fires: { 'by a miner': (s) => asksFor(s, s.start('/tmp/x'), 'pool.supportxmr.com') },
    quiet: {
      'another name': (s) => asksFor(s, s.start('/usr/bin/firefox'), 'www.example.com'),
      'a name that begins alike': (s) => asksFor(s, s.start('/usr/bin/firefox'), 'supportxmr.com.example'),
    },
  },
  "Web page replaced by a server's command": {
    as: 'error impact T1491.002',
    fires: {
      'under httpd': (s) =>
        s.open(s.start('/bin/sh -c x', s.start('/usr/sbin/httpd', s.init), NOBODY), '/var/www/html/index.html', WRITE),
    },
    quiet: {
      'it is deployed': (s) => s.open(s.start('/usr/bin/rsync -a x y'), '/var/www/html/index.html', WRITE),
      'a page of the cache': (s) =>
        s.open(s.start('/bin/sh -c x', s.start('/usr/sbin/httpd', s.init)), '/var/www/html/cache/a.html', WRITE),
    },
  },
  "Machine stopped by a server's command": {
    as: 'error impact T1529',
    fires: {
      'in a reverse shell': under('/usr/sbin/reboot -f'),
      'by the kernel': (s) => s.open(s.start('/tmp/x'), '/proc/sysrq-trigger', O.WRONLY),
    },
    quiet: {
      'an administrator': started('/usr/sbin/reboot'),
      'a service is asked': under('/usr/bin/systemctl status nginx'),
    },
  },
  'Fork bomb typed': {
    as: 'error impact T1499.001',
    fires: { 'the common one': (s) => s.start(['bash', '-c', ':(){ :|:& };:'], s.shell, {}, '/usr/bin/bash') },
    quiet: {
      'a function': (s) => s.start(['bash', '-c', 'f(){ ls | wc -l; }; f'], s.shell, {}, '/usr/bin/bash'),
      'a job': (s) => s.start(['bash', '-c', 'make | tee log & wait'], s.shell, {}, '/usr/bin/bash'),
    },
  },
});
