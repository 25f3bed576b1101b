import type { TestProcess } from '@ringfence/testkit';
import { type Scene, testContent } from './support.ts';

/** Forks that a limit refuses: so many, each as an event of its own. */
function forks(s: Scene, process: TestProcess, ...counts: readonly number[]): void {
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
});
