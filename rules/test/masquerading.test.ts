import { type EventValues, O } from '@ringfence/testkit';
import { records } from '@ringfence/wire';
import { EXEC, type Scene, testContent } from './support.ts';

const { AF_INET } = records.AddressFamily;
const WRITE = O.WRONLY | O.CREAT | O.TRUNC;
const [MEMFD, MPROTECT] = [1, 3];

const memory = (by: string, values: EventValues) => (s: Scene) =>
  s.event(s.start(by), 'Memory', { count: 1, ...values });
const byShell = (path: string) => (s: Scene) => s.open(s.start('/bin/bash'), path, WRITE);
const started = (words: string) => (s: Scene) => s.start(words);
const bpf =
  (by: string, values: EventValues = {}) =>
  (s: Scene) =>
    s.event(s.start(by, by.startsWith('/app') ? s.inside : s.shell), 'Bpf', {
      command: 5,
      programType: 2,
      name: 'x',
      result: 4,
      ...values,
    });
const ring = (by: string, values: EventValues) => (s: Scene) => s.event(s.start(by), 'IoUring', values);

testContent('masquerading.yaml', {
  'Program named like a service of the system': {
    as: 'error stealth T1036.005',
    fires: { 'in a home folder': started('/home/ann/.cache/sshd -D'), 'in /tmp': started('/tmp/systemd') },
    quiet: {
      'the one that is installed': started('/usr/sbin/sshd -D'),
      'in a snap': started('/snap/docker/1/bin/dockerd'),
      'in a container, which brings its own': (s) => s.start('/app/init', s.inside),
    },
  },
  'Program named like a thread of the kernel': {
    as: 'error stealth T1036.004',
    fires: {
      kworker: started('/tmp/kworker'),
      'with a number': started('/dev/shm/kworker-u8:2'),
      'in brackets': started('/opt/[kthreadd]'),
    },
    quiet: {
      'a program whose name begins alike': started('/usr/bin/kworkertop'),
      'a kernel thread': (s) => s.snapshot(s.fork(s.init), '', { argv: ['[kworker/0:1]'], filename: 'kworker' }),
      'another program': started('/usr/bin/watch'),
    },
  },
  'Program with a misleading name': {
    as: 'error stealth T1036.006',
    fires: {
      'a picture': started('/home/ann/holiday.jpg'),
      'a space at its end': (s) => s.start(['x'], s.shell, {}, '/home/ann/invoice.txt '),
    },
    quiet: {
      'a script of that kind': started('/usr/bin/node server.js'),
      'a program with a dot': started('/usr/bin/python3.11'),
      'a picture is shown': started('/usr/bin/eog holiday.jpg'),
    },
  },
  'Folder named like a way up': {
    as: 'error stealth T1564.001',
    fires: {
      'three dots': byShell('/tmp/.../x'),
      'a space': (s) => s.start(['/var/tmp/.. /x']),
    },
    quiet: {
      'a hidden folder': byShell('/home/ann/.config/x'),
      'a name that ends with dots': byShell('/home/ann/and so on.../x'),
    },
  },
  'Program run from a place for data': {
    as: 'error stealth T1036.005',
    fires: { 'beside the logs': started('/var/log/.x/agent'), 'beside devices': started('/dev/.udev/x') },
    quiet: {
      'in shared memory, which has its own rules': started('/dev/shm/x'),
      'a log is read': started('/usr/bin/tail -f /var/log/syslog'),
      'a descriptor': (s) => s.start(['x'], s.shell, {}, '/dev/fd/3'),
    },
  },
  'Program run from a web folder': {
    as: 'error persistence T1505.003',
    fires: { 'an upload': started('/var/www/html/uploads/x') },
    quiet: {
      'a program of the page': started('/var/www/cgi-bin/form.cgi'),
      'an interpreter with a page': started('/usr/bin/php /var/www/html/cron.php'),
    },
  },
  'Program run through the loader': {
    as: 'error stealth T1218',
    fires: { 'of glibc': started('/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 /dev/shm/x') },
    quiet: {
      'what a program needs is listed': started('/usr/lib64/ld-linux-x86-64.so.2 --list /usr/bin/ls'),
      'a linker': started('/usr/bin/ld.bfd -o /tmp/x x.o'),
    },
  },
  'Interpreter makes a file in memory': {
    as: 'warning stealth T1620',
    fires: { python: memory('/usr/bin/python3 -c x', { operation: MEMFD, result: 3, path: '/memfd:x' }) },
    quiet: {
      'a compositor': memory('/usr/bin/gnome-shell', { operation: MEMFD, result: 3, path: '/memfd:wayland' }),
      'it may not': memory('/usr/bin/python3 -c x', { operation: MEMFD, result: -1 }),
    },
  },
  'Memory for code that is written while it runs': {
    as: 'notice stealth T1620',
    fires: { 'an unpacker': memory('/tmp/x', { operation: MPROTECT, protection: 7 }) },
    quiet: {
      'a program that compiles while it runs': memory('/usr/bin/node x', { operation: MPROTECT, protection: 7 }),
      'not both': memory('/tmp/x', { operation: MPROTECT, protection: 5 }),
    },
  },
  'Process hidden by a mount': {
    as: 'critical stealth T1564',
    fires: {
      'an empty folder': (s) =>
        s.mountChange(s.start('/usr/bin/mount'), 'MOUNT', { source: '/tmp/e', target: '/proc/4711', flags: 4096 }),
    },
    quiet: {
      'a runtime hides a file': (s) =>
        s.mountChange(s.start('/usr/bin/runc'), 'MOUNT', { source: '/dev/null', target: '/proc/kcore', flags: 4096 }),
      'it may not': (s) =>
        s.mountChange(s.start('/usr/bin/mount'), 'MOUNT', { source: '/tmp/e', target: '/proc/4711', result: -1 }),
      'proc itself': (s) =>
        s.mountChange(s.start('/usr/bin/mount'), 'MOUNT', { source: 'proc', target: '/proc', filesystem: 'proc' }),
    },
  },
  'Time of a file set back': {
    as: 'warning stealth T1070.006',
    fires: {
      'as another': started('/usr/bin/touch -r /usr/bin/ls /usr/bin/ps'),
      'a date': started('/usr/bin/touch -amd 2020-01-01 /var/www/html/x.php'),
    },
    quiet: {
      "a file of one's own": started('/usr/bin/touch -r a.txt b.txt'),
      'it is only touched': started('/usr/bin/touch /etc/nologin'),
      'under make': (s) => s.start('/usr/bin/touch -r x /usr/lib/x', s.start('/usr/bin/make install')),
    },
  },
  'File protected against change': {
    as: 'warning defense-impairment T1222.002',
    fires: { 'a cron job': started('/usr/bin/chattr +i /etc/cron.d/x') },
    quiet: {
      'the mark is taken away': started('/usr/bin/chattr -i /etc/resolv.conf'),
      'no copy on write': started('/usr/bin/chattr +C /var/lib/images'),
    },
  },
  'Physical memory written': {
    as: 'critical stealth T1014',
    fires: { 'by a program': (s) => s.open(s.start('/tmp/x'), '/dev/mem', O.RDWR) },
    quiet: {
      'dmidecode reads': (s) => s.open(s.start('/usr/sbin/dmidecode'), '/dev/mem'),
      'the display': (s) => s.open(s.start('/usr/lib/xorg/Xorg'), '/dev/mem', O.RDWR),
    },
  },
  'BPF program loaded from a scratch folder or a container': {
    as: 'error stealth T1014',
    fires: { 'from /tmp': bpf('/tmp/x'), 'a container': bpf('/app/x') },
    quiet: {
      'a tracer that is installed': bpf('/usr/bin/bpftrace -e x'),
      'a map is made': bpf('/tmp/x', { command: 0 }),
      'a filter of its own socket': bpf('/app/x', { programType: 1 }),
      'it may not': bpf('/tmp/x', { result: -1 }),
    },
  },
  'Files opened past the system calls': {
    as: 'notice execution T1106',
    fires: {
      'a file': ring('/tmp/x', { opcode: 18, result: 5, path: '/etc/hosts' }),
      'a connection': ring('/home/ann/x', {
        opcode: 16,
        result: 0,
        family: AF_INET,
        port: 443,
        address: '203.0.113.9',
      }),
    },
    quiet: {
      'a database': ring('/usr/lib/postgresql/18/bin/postgres', { opcode: 18, result: 5, path: '/var/lib/x' }),
      'it sends': ring('/home/ann/x', { opcode: 26, result: 5, family: AF_INET }),
      'a file in memory': (s) => s.start(['x'], s.shell, { flags: EXEC.memfd }, '/memfd:x'),
    },
  },
});
