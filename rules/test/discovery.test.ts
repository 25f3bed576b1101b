import type { TestProcess } from '@ringfence/testkit';
import { IPPROTO, records, SOCK } from '@ringfence/wire';
import { REMOTE, type Scene, testContent } from './support.ts';

const { AF_INET, AF_PACKET } = records.AddressFamily;
const REFUSED = { result: -111 };
/** AF_PACKET, SOCK_RAW, ETH_P_ALL */
const PACKETS = { family: AF_PACKET, type: SOCK.RAW, protocol: 3 };

function ports(s: Scene, process: TestProcess, address: string, count: number): void {
  for (let port = 1; port <= count; port++) s.connect(process, address, port, REFUSED);
}

function hosts(s: Scene, process: TestProcess, network: string, count: number): void {
  for (let host = 1; host <= count; host++) s.connect(process, `${network}.${host}`, 22, REFUSED);
}

testContent('discovery.yaml', {
  'Port scan from a container': {
    as: 'error discovery T1046',
    fires: {
      'twenty ports of a neighbour': (s) => ports(s, s.start('/usr/bin/nmap 172.20.0.3', s.inside), '172.20.0.3', 20),
      'a loop of a shell, a process for each port': (s) => {
        for (let port = 1; port <= 20; port++) s.connect(s.fork(s.inside), '172.20.0.3', port, REFUSED);
      },
    },
    quiet: {
      'nineteen ports': (s) => ports(s, s.inside, '172.20.0.3', 19),
      'one port of many neighbours': (s) => hosts(s, s.inside, '172.20.0', 40),
      'the same port many times': (s) => {
        for (let i = 0; i < 100; i++) s.connect(s.inside, '172.20.0.3', 5432);
      },
      'twenty ports in as many minutes': (s) => {
        s.step = 60_000_000;
        ports(s, s.inside, '172.20.0.3', 20);
      },
      'tests that use many ports of their own loopback': (s) => ports(s, s.inside, '127.0.0.1', 60),
      'from the host': (s) => ports(s, s.start('/usr/bin/nmap 172.20.0.3'), '172.20.0.3', 30),
    },
  },
  'Network sweep': {
    as: 'warning discovery T1018',
    fires: {
      'twenty-five neighbours': (s) => hosts(s, s.start('/tmp/sweep'), '10.1.2', 25),
      'from a container': (s) => hosts(s, s.inside, '172.20.0', 25),
    },
    quiet: {
      'a browser opens a page': (s) => hosts(s, s.start('/usr/bin/firefox'), '203.0.113', 40),
      'the kubelet asks its pods': (s) => hosts(s, s.start('/usr/bin/kubelet', s.init), '10.244.0', 60),
      'twenty-four neighbours': (s) => hosts(s, s.start('/tmp/sweep'), '10.1.2', 24),
    },
  },
  'Scanner started': {
    as: 'notice discovery T1046',
    fires: { nmap: (s) => s.start('/usr/bin/nmap -sS 10.0.0.0/24') },
    quiet: {
      'its manual': (s) => s.start('/usr/bin/man nmap'),
      'its package': (s) => s.start('/usr/bin/apt-get install nmap'),
    },
  },
  "Identity asked from a service's shell": {
    as: 'notice discovery T1033 T1082',
    fires: {
      'id under a web server': (s) => {
        const web = s.start('/usr/sbin/nginx', s.startContainer());
        s.start('/usr/bin/id', s.start(['sh', '-c', 'id'], web, {}, '/bin/sh'));
      },
      'id under PHP': (s) => {
        const php = s.start('/usr/sbin/php-fpm8.2', s.init);
        s.start('/usr/bin/id', s.start(['sh', '-c', 'id'], php, {}, '/usr/bin/dash'));
      },
      'in a reverse shell': (s) => s.start('/usr/bin/uname -a', s.shell, REMOTE),
      "busybox's id under a web server": (s) => {
        const web = s.start('/usr/sbin/nginx', s.startContainer());
        s.start('id', web, { filename: '/usr/bin/id' }, '/bin/busybox');
      },
    },
    quiet: {
      'a person asks': (s) => s.start('/usr/bin/id'),
      'npm asks': (s) => s.start('/usr/bin/uname -s', s.start('/usr/bin/node /usr/bin/npm ci')),
      'a web server starts another program': (s) =>
        s.start('/usr/bin/convert a b', s.start('/usr/sbin/apache2', s.init)),
    },
  },
  'Packets captured in a container': {
    as: 'warning discovery T1040',
    fires: {
      tcpdump: (s) => s.socket(s.start('/usr/bin/tcpdump -i any', s.inside), PACKETS),
      'a program of its own': (s) => s.socket(s.start('/tmp/x', s.inside), { ...PACKETS, type: SOCK.DGRAM }),
    },
    quiet: {
      'it is not allowed to': (s) => s.socket(s.start('/tmp/x', s.inside), { ...PACKETS, result: -1 }),
      ping: (s) =>
        s.socket(s.start('/usr/bin/ping example.com', s.inside), {
          family: AF_INET,
          type: SOCK.RAW,
          protocol: IPPROTO.ICMP,
        }),
      'from the host': (s) => s.socket(s.start('/usr/sbin/dhclient eth0'), PACKETS),
    },
  },
});
