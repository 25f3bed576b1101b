import { testContent } from './support.ts';

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
});
