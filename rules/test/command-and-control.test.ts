import type { TestProcess } from '@ringfence/testkit';
import { O } from '@ringfence/testkit';
import { IPPROTO, SOCK } from '@ringfence/wire';
import { type Scene, testContent } from './support.ts';

const WRITE = O.WRONLY | O.CREAT | O.TRUNC;

/** `program` writes `path`, and `seconds` later it is run. */
function writtenThenRun(s: Scene, program: string, path: string, seconds: number, parent?: TestProcess): void {
  s.open(s.start(program, parent), path, WRITE);
  s.ktime += seconds * 1_000_000;
  s.start(path, parent);
}

testContent('command-and-control.yaml', {
  'Downloaded file executed': {
    as: 'error command-and-control T1105',
    fires: {
      'curl writes a file which runs a second later': (s) =>
        writtenThenRun(s, '/usr/bin/curl -o /tmp/x u', '/tmp/x', 1),
      'wget in a container': (s) => writtenThenRun(s, '/usr/bin/wget -O /opt/x u', '/opt/x', 200, s.inside),
    },
    quiet: {
      'a package script fetched it': (s) =>
        writtenThenRun(s, '/usr/bin/wget -O /opt/x u', '/opt/x', 1, s.start('/usr/bin/dpkg --configure -a')),
      'it runs an hour later': (s) => writtenThenRun(s, '/usr/bin/curl -o /opt/tool u', '/opt/tool', 3600),
      'root installs a program where programs are': (s) =>
        writtenThenRun(s, '/usr/bin/curl -Lo /usr/local/bin/tool u', '/usr/local/bin/tool', 1),
      'a compiler wrote it': (s) => writtenThenRun(s, '/usr/bin/ld', '/home/ann/app', 1),
      'curl wrote another file': (s) => {
        s.open(s.start('/usr/bin/curl -o /tmp/data.json u'), '/tmp/data.json', WRITE);
        s.start('/usr/bin/jq . /tmp/data.json');
      },
      'curl only read it': (s) => {
        s.open(s.start('/usr/bin/curl -T /usr/bin/tool u'), '/usr/bin/tool', O.RDONLY);
        s.start('/usr/bin/tool');
      },
    },
  },
  'File dropped and executed in a container': {
    as: 'warning command-and-control T1105',
    fires: {
      'a shell writes a program and runs it': (s) => writtenThenRun(s, '/bin/sh', '/var/www/x', 2, s.inside),
      'python downloads and runs': (s) => writtenThenRun(s, '/usr/bin/python3 get.py', '/srv/x', 2, s.inside),
      'a program unpacks that is only called dpkg': (s) => writtenThenRun(s, '/tmp/dpkg -x', '/usr/bin/x', 2, s.inside),
    },
    quiet: {
      'it runs an hour later': (s) => writtenThenRun(s, '/bin/sh', '/srv/x', 3600, s.inside),
      'the runtime unpacked it before it started the container': (s) => {
        s.open(s.start('/usr/bin/containerd', s.init), '/app/worker', WRITE);
        s.start('/app/worker', s.inside);
      },
      'apt-get installs a package and its script runs': (s) => {
        const apt = s.start('/usr/bin/apt-get install -y jq', s.inside);
        writtenThenRun(s, '/usr/bin/dpkg --unpack', '/var/lib/dpkg/tmp.ci/preinst', 1, apt);
      },
      'what was installed runs': (s) => writtenThenRun(s, '/usr/bin/dpkg --unpack x.deb', '/usr/bin/jq', 2, s.inside),
      'a program of the image runs': (s) => s.start('/app/worker', s.inside),
      'a linker wrote it': (s) => writtenThenRun(s, '/usr/bin/ld.bfd', '/src/app', 1, s.inside),
      'a build container runs what it wrote': (s) =>
        writtenThenRun(s, '/bin/sh', '/src/x', 1, s.startContainer({ image: 'moby/buildkit:v0.20' })),
      'the same on a host': (s) => writtenThenRun(s, '/usr/bin/bash', '/home/ann/x', 2),
    },
  },
  'Shell connects to the network': {
    as: 'warning command-and-control T1095',
    fires: {
      'bash connects by /dev/tcp': (s) => s.connect(s.start('/usr/bin/bash -c x'), '203.0.113.9', 443),
      'also to a private address': (s) => s.connect(s.start('/bin/bash', s.inside), '10.0.0.9', 4444),
    },
    quiet: {
      'bash waits for its own service': (s) => s.connect(s.start('/usr/bin/bash wait.sh'), '127.0.0.1', 5432),
      'bash looks up a user over a unix socket': (s) => s.connect(s.shell, '/run/nscd/socket'),
      'bash resolves a name': (s) => s.connect(s.shell, '192.168.1.1', 53, { type: SOCK.DGRAM, protocol: IPPROTO.UDP }),
      'curl under bash connects': (s) => s.connect(s.start('/usr/bin/curl u'), '203.0.113.9', 443),
    },
  },
  'Outbound connection from a container to the internet': {
    as: 'informational command-and-control T1071',
    fires: {
      'a server connects to a public address': (s) => s.connect(s.inside, '203.0.113.9', 443),
      'a connection that has only begun': (s) => s.connect(s.inside, '203.0.113.9', 443, { result: -115 }),
      'by IPv6': (s) => s.connect(s.inside, Buffer.from('20010db8000000000000000000000001', 'hex'), 443),
    },
    quiet: {
      'to a neighbour': (s) => s.connect(s.inside, '172.20.0.3', 5432),
      'to a neighbour, written as IPv6': (s) =>
        s.connect(s.inside, Buffer.from('00000000000000000000ffffac140003', 'hex'), 5432),
      refused: (s) => s.connect(s.inside, '203.0.113.9', 443, { result: -111 }),
      'from the host': (s) => s.connect(s.start('/usr/bin/curl u'), '203.0.113.9', 443),
    },
  },
  'Download tool in a container': {
    as: 'notice command-and-control T1105',
    fires: {
      'curl fetches from elsewhere': (s) => s.start('/usr/bin/curl -s http://203.0.113.9/a', s.inside),
      "Alpine's wget, which is busybox": (s) => s.start('wget http://203.0.113.9/a', s.inside, {}, '/bin/busybox'),
    },
    quiet: {
      'a health check asks its own container': (s) =>
        s.start('/usr/bin/curl -f http://localhost:8080/health', s.inside),
      'busybox lists a folder': (s) => s.start('ls /app', s.inside, {}, '/bin/busybox'),
      'curl on a host': (s) => s.start('/usr/bin/curl -s http://203.0.113.9/a'),
    },
  },
});
