import { O, type SyntheticProcess } from '@ringfence/synthetic';
import { type Scene, testContent } from './support.ts';

/** Forks that a limit refuses: so many, each as an event of its own. */
function forks(s: Scene, process: SyntheticProcess, ...counts: readonly number[]): void {
  for (const count of counts) s.event(process, 'Attempt', { operation: 1, call: 3, result: -11, count });
}

testContent('impact.yaml', {
  'Connection to a mining pool': {
    as: 'warning impact T1496.001',
    fires: { 'to a public pool': (s) => s.connect(s.start('/tmp/.k'), '203.0.113.9', 14444) },
    quiet: {
      'a browser under test': (s) => s.connect(s.start('/usr/bin/java'), '172.20.0.3', 4444),
      'a server under development': (s) => s.connect(s.start('/usr/bin/curl u'), '127.0.0.1', 3333),
      'a web site': (s) => s.connect(s.start('/usr/bin/curl u'), '203.0.113.9', 443),
    },
  },
  'Miner started': {
    as: 'critical impact T1496.001',
    fires: {
      'by its name': (s) => s.start('/opt/xmrig'),
      'under another name': (s) => s.start('/tmp/httpd -o stratum+tcp://pool:3333 -u x', s.inside),
    },
    quiet: {
      'somebody searches for one': (s) => s.start('/usr/bin/grep -r stratum+tcp:// /etc'),
      'a server': (s) => s.start('/usr/sbin/httpd -D FOREGROUND', s.inside),
    },
  },
  'Data destroyed': {
    as: 'error impact T1485',
    fires: {
      'dd overwrites a disk': (s) => s.start('/usr/bin/dd if=/dev/zero of=/dev/nvme0n1 bs=1M'),
      'shred overwrites a disk': (s) => s.start('/usr/bin/shred -n1 /dev/sda'),
      'rm removes everything': (s) => s.start('/usr/bin/rm -rf --no-preserve-root /'),
    },
    quiet: {
      'dd measures': (s) => s.start('/usr/bin/dd if=/dev/zero of=/dev/null count=1000'),
      'dd writes an image': (s) => s.start('/usr/bin/dd if=debian.iso of=/dev/sdb'),
      'shred removes a key file': (s) => s.start('/usr/bin/shred -u deploy.key'),
      'a build is cleaned': (s) => s.start('/usr/bin/rm -rf node_modules dist'),
    },
  },
  'Fork storm at its limit': {
    as: 'warning impact T1499.001',
    fires: {
      'one process, merged': (s) => forks(s, s.start('/tmp/bomb'), 1, 99),
      'each process of a bomb once': (s) => {
        for (let n = 0; n < 100; n++) forks(s, s.start('/usr/bin/bash', s.inside), 1);
      },
    },
    quiet: {
      'a pool that is full now and then': (s) => forks(s, s.start('/usr/bin/java'), 1, 1, 50),
      'too slow': (s) => {
        const java = s.start('/usr/bin/java');
        for (let n = 0; n < 12; n++) {
          forks(s, java, 10);
          s.ktime += 2_000_000;
        }
      },
      'namespaces that are refused': (s) => {
        const unshare = s.start('/usr/bin/bwrap');
        s.event(unshare, 'Attempt', { operation: 1, call: 3, result: -1, count: 200, first: 0x1000_0000n });
      },
      'programs that are not there': (s) =>
        s.event(s.shell, 'Attempt', { operation: 2, call: 5, result: -2, count: 200, path: '/usr/local/bin/x' }),
    },
  },
  'Files of a database changed behind its back': {
    as: 'notice impact T1565.001',
    fires: {
      dd: (s) => s.open(s.start('/usr/bin/dd of=x'), '/var/lib/mysql/shop/orders.ibd', O.WRONLY),
    },
    quiet: {
      'the database': (s) => s.open(s.start('/usr/sbin/mysqld', s.init), '/var/lib/mysql/shop/orders.ibd', O.RDWR),
      'its log, as it starts': (s) => s.open(s.start('/bin/sh -c x'), '/var/lib/postgresql/log', O.WRONLY),
      'its settings': (s) => s.open(s.start('/bin/bash x'), '/var/lib/postgresql/data/pg_hba.conf', O.WRONLY),
    },
  },
  'Flood of the network started': {
    as: 'error impact T1498.001 T1499.002',
    fires: {
      packets: (s) => s.start('/usr/sbin/hping3 --flood -S -p 80 203.0.113.9'),
      requests: (s) => s.start('/usr/bin/python3 slowloris.py x.example'),
    },
    quiet: {
      'one packet a second': (s) => s.start('/usr/sbin/hping3 -S -p 80 203.0.113.9'),
      'another script': (s) => s.start('/usr/bin/python3 load.py'),
    },
  },
  'Wallet taken': {
    as: 'warning impact collection T1657 T1005',
    fires: {
      'it is copied': (s) => s.open(s.start('/usr/bin/cp x y'), '/home/ann/.bitcoin/wallet.dat'),
      'by a program brought along': (s) => s.open(s.start('/tmp/x'), '/home/ann/.electrum/wallets/default_wallet'),
    },
    quiet: {
      'its program': (s) => s.open(s.start('/usr/bin/bitcoind'), '/home/ann/.bitcoin/wallet.dat'),
      'another file': (s) => s.open(s.start('/usr/bin/cp x y'), '/home/ann/.bitcoin/bitcoin.conf'),
    },
  },
  'Firmware written': {
    as: 'warning impact persistence T1495 T1542',
    fires: {
      flashrom: (s) => s.start('/usr/sbin/flashrom -p internal -w x.rom'),
      dd: (s) => s.start('/usr/bin/dd if=x of=/dev/mtd0'),
    },
    quiet: {
      'it is read': (s) => s.start('/usr/sbin/flashrom -p internal -r x.rom'),
      "a disk's image": (s) => s.start('/usr/bin/dd if=x of=x.img'),
    },
  },
});
