/** Fields in Falco's form, on enriched events. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { catalogue, eventKinds, falcoDefinitions } from '@ringfence/fields';
import { compileRules } from '@ringfence/rules';
import { O } from '@ringfence/synthetic';
import type { EventView } from '@ringfence/wire';
import { calls } from './falco-calls.ts';
import type { Case } from './falco-case.ts';
import { matchesOf, Scene } from './scene.ts';

const SH = { filename: '/bin/sh' };
const WEB: Parameters<Scene['startContainer']>[0] = {
  id: '3ad7b26ded6d8e7b23da7d48fe889434',
  image: 'registry:5000/shop/web:1.27',
  imageId: 'sha256:6f7e2741b66b0000',
  privileged: true,
  labels: { app: 'web', 'a.b/c': 'd' },
  podLabels: { tier: 'front' },
  namespace: 'kube-system',
  pod: 'web-0',
  podUid: 'u-1',
  startedAt: Date.UTC(2026, 0, 1) * 1000,
  mounts: [
    { source: '/proc', destination: '/host/proc', readonly: true },
    { source: '/etc/kubernetes', destination: '/k8s', readonly: false },
  ],
};

const REDIRECT = {
  ...{
    family: 2,
    type: 1,
    protocol: 6,
    address: Buffer.from([203, 0, 113, 9]),
    port: 4444,
    sourceDescriptor: 3,
    count: 1,
  },
  ...{ localAddress: Buffer.from([10, 0, 0, 5]), localPort: 50000, targetDescriptor: 1, call: 2, result: 1 },
};

const cases: readonly Case[] = [
  ...calls,
  {
    title: 'a dup2 of a connection',
    play: (scene) => scene.event(scene.start('/usr/bin/nc'), 'Redirect', REDIRECT),
    type: 'dup2',
    holds: [
      'evt.type in (dup, dup2, dup3) and evt.rawres in (0, 1, 2) and evt.res = SUCCESS and evt.category = net',
      'fd.type = ipv4 and fd.typechar = 4 and fd.sip = 203.0.113.9 and fd.sport = 4444 and fd.cip = 10.0.0.5 and fd.l4proto = tcp',
      'fd.lip = 10.0.0.5 and fd.lport = 50000 and fd.rip = 203.0.113.9 and fd.rport = 4444 and fd.is_server = false',
      'fd.name = "10.0.0.5:50000->203.0.113.9:4444" and fd.num = 1 and fd.connected = true and fd.sockfamily = ip',
      'evt.arg.oldfd = 3 and evt.arg.newfd = 1 and evt.arg[1] = 3 and evt.args = "res=SUCCESS oldfd=3 newfd=1"',
    ],
    not: ['evt.type = dup', 'evt.type = dup3', 'fd.sip.name exists', 'evt.failed = true'],
  },
  {
    title: 'a dup3 of a connection that was accepted, which fails',
    play: (scene) =>
      scene.event(scene.start('/usr/bin/nc'), 'Redirect', { ...REDIRECT, incoming: true, call: 3, result: -22 }),
    type: 'dup3',
    holds: [
      'evt.res = EINVAL and evt.failed = true and evt.rawres = -22 and fd.num = -1 and fd.is_server = true',
      'fd.cip = 203.0.113.9 and fd.cport = 4444 and fd.sip = 10.0.0.5 and fd.sport = 50000 and fd.rip = 203.0.113.9',
    ],
  },
  {
    title: 'an exec through a link',
    play: (scene) => scene.start(['sh', '-c', 'id -u'], scene.shell, SH, '/usr/bin/dash'),
    type: 'execve',
    holds: [
      'evt.type in (execve, execveat) and syscall.type = execve and evt.type.is.execveat = 1 and evt.type.is[open] = 0',
      'proc.name = sh and proc.exe = sh and proc.exepath = /usr/bin/dash and proc.args = "-c id -u" and proc.cmdline = "sh -c id -u"',
      'proc.exeline = "sh -c id -u" and proc.cmdnargs = 2 and proc.cmdlenargs = 7',
      'proc.pname = bash and proc.pexe = -bash and proc.pexepath = /usr/bin/bash and proc.pcmdline = bash',
      'proc.aname in (sshd) and proc.aname[0] = sh and proc.aname[1] = bash and proc.aname[2] = sshd-session and proc.aname[3] = sshd',
      'proc.aexe[1] = -bash and proc.aexepath[3] = /usr/sbin/sshd and proc.acmdline[3] = "sshd -D" and proc.acmdline[0] startswith sh',
      'proc.apid[1] = val(proc.aname[9]) or proc.ppid > 1 and proc.apid = 1 and proc.loginshellid = val(proc.ppid)',
      'proc.duration >= 0 and proc.duration < 5000000000 and proc.ppid.duration > val(proc.duration)',
      'proc.pid.ts > 1767225600000000000 and proc.ppid.ts < val(proc.pid.ts)',
      'container.id = host and container.name = host and container.type = host and not container.image.repository exists',
      'evt.res = SUCCESS and evt.rawres = 0 and evt.rawres >= 0 and evt.failed = false and evt.count.error = 0',
      'evt.dir = < and evt.dir=> and evt.num > 0 and evt.source = syscall and evt.is_async = false and evt.category = process',
      'evt.arg.exe = sh and evt.arg.args = "-c id -u" and evt.arg.filename = /bin/sh and evt.arg.res = SUCCESS and evt.arg[0] = SUCCESS and evt.arg[1] = sh',
      'evt.arg[2] = "-c id -u" and evt.arg[6] = / and evt.arg[13] = sh and not evt.arg[7] exists',
      'evt.args contains "exe=sh args=-c id -u" and evt.info startswith res=SUCCESS',
      'user.uid = 0 and user.name = root and group.gid = 0 and group.name = root and thread.ismain = true',
      'proc.is_exe_writable = true and proc.is_exe_upper_layer = false and proc.exe_ino > 0 and proc.exe_ino.ctime > 0 and proc.exe_ino.mtime > 0',
    ],
    not: [
      'evt.num = 0',
      'container.id != host',
      'fd.name exists',
      'proc.aname = sh',
      'evt.arg.flags exists',
      'proc.pname exists and not proc.aname exists',
    ],
    output: [
      '%evt.time.s %evt.datetime.s %proc.aname[2] %tolower(proc.exepath) (user=%user.name) %container.info %proc.sname %%',
      '01:00:00 2026-01-01 01:00:00 sshd-session /usr/bin/dash (user=root) container_id=host container_name=host systemd %',
    ],
  },
  {
    title: 'a long name and a script',
    play: (scene) =>
      scene.start(['/usr/bin/python3.11', '-u', '/opt/unattended-upgrade', 'x'], scene.shell, {
        flags: 32,
        filename: '/opt/unattended-upgrade',
      }),
    type: 'execve',
    holds: ['proc.name = unattended-upgr and proc.cmdline = "unattended-upgr -u /opt/unattended-upgrade x"'],
  },
  {
    title: 'a child of a script',
    play: (scene) => {
      const values = { flags: 32, filename: '/opt/unattended-upgrade' };
      const script = scene.start(['/usr/bin/python3.11', '-u', '/opt/unattended-upgrade'], scene.shell, values);
      const child = scene.start('python3', script, { filename: '/usr/bin/python3' }, '/usr/bin/python3.11');
      scene.open(scene.start('true', child), '/etc/x');
    },
    type: 'openat',
    holds: ['proc.pname = python3 and proc.aname[2] = unattended-upgr and proc.pcmdline = python3'],
  },
  {
    title: 'an open that fails',
    play: (scene) =>
      scene.open(scene.start('/opt/x'), '/srv/www/../../../etc/shadow', O.RDONLY, {
        result: -13,
        rawPath: '../../..//etc/shadow',
      }),
    type: 'openat',
    holds: [
      'evt.type = openat2 and fd.typechar = f and fd.num = -1 and evt.res startswith E and evt.res = EACCES and evt.failed = true',
      "fd.nameraw contains '../' and fd.nameraw glob '*../*../*' and fd.name = /etc/shadow and fd.directory = /etc and fd.filename = shadow",
      'fs.path.name = /etc/shadow and fs.path.nameraw = ../../..//etc/shadow and fd.nameraw = ../../../etc/shadow and evt.rawres = -13 and evt.count.error.file = 1 and evt.count.error.net = 0',
      'evt.arg.flags = O_RDONLY and evt.is_open_read = true and evt.is_open_write = false and evt.abspath = /etc/shadow',
      'fd.containername = ":/etc/shadow" and fd.containerdirectory = ":/etc" and evt.arg.name = /etc/shadow and evt.rawarg.fd = -1',
      'evt.arg[0] = -1 and evt.arg[2] = /etc/shadow and evt.arg[3] = O_RDONLY and not evt.arg[1] exists',
    ],
  },
  {
    title: 'an open in a container',
    play: (scene) =>
      scene.open(scene.startContainer(WEB), '/data/release_agent', O.WRONLY | O.CREAT | O.TRUNC, {
        result: 5,
        mode: 0o100755,
        device: 0x800001,
        created: true,
      }),
    type: 'openat',
    holds: [
      'fd.num >= 0 and fd.num = 5 and fd.type = file and evt.is_open_create = true and evt.is_open_exec = true',
      'evt.arg.flags contains O_TRUNC and evt.arg.flags = "O_WRONLY|O_CREAT|O_TRUNC" and evt.arg.mode contains S_IXUSR',
      'fd.dev.major = 8 and fd.dev.minor = 1 and fd.ino > 0',
      'container.id = 3ad7b26ded6d and container.full_id startswith 3ad7b26ded6d8e7b and container.id != host and container.name = web-1',
      'container.image = "registry:5000/shop/web:1.27" and container.image.repository = "registry:5000/shop/web" and container.image.tag = 1.27',
      'container.image.id = 6f7e2741b66b and container.type = docker and container.privileged = true',
      'container.mount.dest[/proc*] = /host/proc and container.mount.source[/k8s] = /etc/kubernetes and container.mount.dest[1] = /k8s',
      'container.mount[/etc/kube*] = "/etc/kubernetes:/k8s::true:" and container.mount.rdwr[0] = false and container.mounts contains "/proc:/host/proc"',
      'not container.mount.dest[/var/run/docker.sock] in ("<NA>","N/A") or not container.mount.dest[/proc*] in ("<NA>","N/A")',
      'container.label.app = web and container.label[a.b/c] = d and container.labels contains "app:web"',
      'k8s.ns.name = kube-system and k8s.pod.name = web-0 and k8s.pod.uid = u-1 and k8s.pod.id = u-1 and k8s.pod.label.tier = front and k8s.pod.labels = tier:front',
      'container.start_ts > 0 and container.duration >= 0 and proc.vpid exists and fd.containername = "3ad7b26ded6d:/data/release_agent"',
    ],
    not: [
      'container.mount.dest[/var*] exists',
      'not container.mount.dest[/var*] in ("<NA>","N/A")',
      'container.label.none exists',
    ],
  },
  {
    title: 'an open of a file that was there, by a program that a link started in a session of its own',
    play: (scene) => {
      const leader = scene.fork(scene.shell);
      Object.assign(leader, { processGroup: leader.tgid, processSession: leader.tgid });
      scene.exec(leader, '/usr/bin/setsid');
      const server = scene.start(['mysqld'], leader, { filename: '/usr/sbin/mysqld' }, '/usr/sbin/mariadbd');
      scene.open(server, '/data/x', O.RDWR | O.CREAT);
    },
    type: 'openat',
    holds: [
      'proc.name = mysqld and proc.exepath = /usr/sbin/mariadbd and proc.pname = setsid and proc.aname[1] = setsid',
      'evt.is_open_create = false and file.open.create = true and file.open.created = false',
      'proc.sname = setsid and proc.sid.exepath = /usr/bin/setsid and proc.vpgid.name = setsid and proc.pgid.exe exists',
      'proc.sid > 0 and proc.vpgid > 0 and proc.pgid > 0 and proc.is_sid_leader = false and proc.is_vpgid_leader = false',
      'process.session_leader.name = setsid and process.session_leader.entity_id exists',
    ],
  },
  {
    title: 'a connection out',
    play: (scene) =>
      scene.connect(scene.start('/usr/bin/ssh'), '8.8.8.8', 443, {
        localAddress: '10.0.0.5',
        localPort: 40_000,
        result: -115,
        duration: 1_250,
      }),
    type: 'connect',
    holds: [
      'fd.typechar = 4 and fd.type = ipv4 and fd.sockfamily = ip and fd.l4proto = tcp and fd.is_server = false and evt.category = net',
      'fd.name = "10.0.0.5:40000->8.8.8.8:443" and fd.sip = 8.8.8.8 and fd.cip = 10.0.0.5 and fd.sport = 443 and fd.cport = 40000',
      'fd.rip = 8.8.8.8 and fd.lip = 10.0.0.5 and fd.rport = 443 and fd.lport = 40000 and fd.rnet != "10.0.0.0/8" and fd.lnet = "10.0.0.0/8"',
      'fd.ip = 8.8.8.8 and fd.ip = 10.0.0.5 and fd.net = "10.0.0.0/8" and fd.port in (443) and fd.port = 40000 and fd.port >= 40000',
      'fd.ip != 0.0.0.0 and fd.net != "127.0.0.0/8" and not fd.snet in ("10.0.0.0/8", "192.168.0.0/16") and fd.cnet = "10.0.0.0/8"',
      '(evt.rawres >= 0 or evt.res = EINPROGRESS) and evt.failed = false and evt.arg.tuple contains "->" and fd.connected = true',
      'evt.latency = 1250000 and evt.latency.s = 0 and evt.latency.ns = 1250000 and evt.latency.human = 1.25ms',
    ],
    not: ['fd.ip != 8.8.8.8', 'fd.net != "10.0.0.0/8"', 'fd.port != 443', 'fd.num exists'],
  },
  {
    title: 'a connection in',
    play: (scene) =>
      scene.accept(
        scene.start('/usr/sbin/nginx'),
        { address: '203.0.113.9', port: 5555 },
        { address: '10.0.0.5', port: 80 },
      ),
    type: 'accept4',
    holds: [
      'evt.type in (accept, listen) and fd.is_server = true and fd.lport = 80 and fd.rip = 203.0.113.9 and fd.cip = 203.0.113.9 and fd.sport = 80',
      'evt.arg[1] contains "->" and evt.args contains "tuple="',
    ],
  },
  {
    title: 'a unix socket',
    play: (scene) => scene.connect(scene.start('/opt/x'), '/run/docker.sock'),
    type: 'connect',
    holds: ['fd.typechar = u and fd.type = unix and fd.sockfamily = unix and fd.name = /run/docker.sock'],
    not: ['fd.sip exists', 'fd.port exists'],
  },
  {
    title: 'a change of user',
    play: (scene) => scene.credentials(scene.start('/opt/x'), 0),
    type: 'capset',
    holds: ['evt.type = capset'],
  },
  {
    title: 'a change to another user',
    play: (scene) => scene.credentials(scene.start('/opt/x'), { uid: 33, euid: 33, suid: 33, fsuid: 33 }),
    type: 'setresuid',
    holds: [
      'evt.type = setuid and evt.dir=> and evt.arg.uid = 33 and evt.arg.euid = 33 and evt.rawarg.uid = 33 and evt.res = SUCCESS',
      'evt.arg[1] = 33 and evt.arg[2] = 33 and evt.arg[3] = 33',
    ],
  },
  {
    title: 'a mode with the set-user-id bit',
    play: (scene) => scene.change(scene.start('/opt/x'), 'CHMOD', '/tmp/a/../sh', { mode: 0o4755, rawPath: 'a/../sh' }),
    type: 'chmod',
    holds: [
      'evt.type in (chmod, fchmod, fchmodat) and evt.arg.mode contains S_ISUID and evt.arg.filename = /tmp/sh and evt.rawarg.mode = 0o4755',
      'evt.arg[1] = /tmp/sh and evt.arg[2] contains S_ISUID',
      'fs.path.nameraw = a/../sh and evt.rawres = 0',
    ],
    not: ['evt.arg.mode contains S_ISGID'],
  },
  {
    title: 'links and a rename',
    play: (scene) => {
      const ln = scene.start('/usr/bin/ln');
      scene.change(ln, 'SYMLINK', '/tmp/x', { target: '/etc/shadow' });
    },
    type: 'symlink',
    holds: [
      'evt.type in (symlink, symlinkat) and evt.arg.target = /etc/shadow and evt.arg.linkpath = /tmp/x and fs.path.target exists',
      'evt.arg[1] = /etc/shadow and evt.arg[2] = /tmp/x',
    ],
  },
  {
    title: 'a hard link',
    play: (scene) =>
      scene.change(scene.start('/usr/bin/ln'), 'LINK', '/etc/shadow', {
        ...{ target: '/tmp/x', rawPath: '../etc/shadow', rawTarget: 'x', result: -1 },
      }),
    type: 'link',
    holds: [
      'evt.type = linkat and evt.arg.oldpath = /etc/shadow and evt.arg.newpath = /tmp/x and evt.res = EPERM',
      'fs.path.source = /tmp/x and fs.path.sourceraw = x and fs.path.target = /etc/shadow and fs.path.targetraw = ../etc/shadow',
      'evt.arg[0] = EPERM and evt.arg[1] = /etc/shadow and evt.arg[2] = /tmp/x',
    ],
  },
  {
    title: 'a directory that goes',
    play: (scene) => scene.change(scene.start('/usr/bin/rmdir'), 'RMDIR', '/usr/bin/x'),
    type: 'rmdir',
    holds: [
      'evt.type in (rmdir, unlink, unlinkat) and evt.arg.path startswith /usr/bin/ and evt.arg.name = /usr/bin/x',
    ],
  },
  {
    title: 'a packet socket',
    play: (scene) => scene.socket(scene.start('/opt/x'), { family: 17, type: 3 }),
    type: 'socket',
    holds: [
      'evt.type = socket and evt.arg.domain contains AF_PACKET and evt.arg[0] = AF_PACKET and evt.arg.type = raw',
    ],
  },
  {
    title: 'ptrace',
    play: (scene) => scene.access(scene.start('/usr/bin/gdb'), scene.shell),
    type: 'ptrace',
    holds: [
      'evt.type=ptrace and evt.arg.request contains PTRACE_ATTACH and evt.arg.pid = val(proc.ppid)',
      'evt.arg[3] contains PTRACE_ATTACH',
    ],
  },
];

/** One rule for each condition, on events of one type. */
function ask({ play, type, holds, not = [], output }: Case): Map<string, string> {
  const scene = new Scene();
  // The scene itself begins with events, too.
  const since = (scene.ktime + scene.wallOffset) * 1000;
  const rule = (condition: string, shown = 'x'): object => ({
    rule: condition,
    desc: 'd',
    condition: `${type === undefined ? '' : `evt.type = ${type} and `}evt.rawtime >= ${since} and (${condition})`,
    output: shown,
    priority: 'INFO',
    source: 'syscall',
  });
  const items = [...holds, ...not].map((condition) => rule(condition));
  if (output !== undefined) items.push(rule('evt.num exists', output[0]));
  const set = compileRules<EventView>({
    sources: [{ name: 'falco.yaml', text: JSON.stringify(items) }],
    catalogue,
    kinds: eventKinds,
  });
  const errors = set.diagnostics.filter(({ severity }) => severity === 'error');
  assert.deepEqual(
    errors.map(({ message, item }) => `${item}: ${message}`),
    [],
  );
  play(scene);
  return new Map(matchesOf(scene, set));
}

/** Names of Falco's fields in the catalogue, other than those that no event has. */
const KNOWN = catalogue.fields
  .filter(({ never }) => never === undefined)
  .flatMap(({ name, dialect, aliases = [] }) => (dialect === 'falco' ? [name.slice('falco.'.length)] : aliases))
  .filter((name) => /^(?:evt|syscall|execve|fd|fs|proc|thread|user|group|container|k8s|syslog)\./.test(name));

describe("Falco's fields", () => {
  test('are each defined once, and each definition is played against an event', () => {
    const defined = falcoDefinitions.flatMap(({ fields }) => fields.split(' '));
    assert.equal(new Set(defined).size, defined.length);
    const isField = (name: string): boolean => catalogue.fields.some((field) => field.name === name);
    assert.deepEqual(
      defined.filter((name) => !KNOWN.includes(name) && !isField(name)),
      [],
      'no such field',
    );
    assert.deepEqual(
      KNOWN.filter((name) => !defined.includes(name)),
      [],
      'not defined',
    );
    const played = new Set(cases.flatMap(({ holds }) => holds.join(' ').match(/[a-z][\w.]*/g) ?? []));
    const isPlayed = (field: string): boolean =>
      [...played].some((name) => name === field || name.startsWith(`${field}.`));
    assert.deepEqual(
      defined.filter((field) => !isPlayed(field)),
      [],
      'no event is expected to have a value of these',
    );
  });

  for (const example of cases) {
    test(`of ${example.title} have Falco's values`, () => {
      const matched = ask(example);
      assert.deepEqual(
        example.holds.filter((condition) => !matched.has(condition)),
        [],
        'these should hold',
      );
      assert.deepEqual(
        (example.not ?? []).filter((condition) => matched.has(condition)),
        [],
        'these should not',
      );
      if (example.output !== undefined) assert.equal(matched.get('evt.num exists'), example.output[1]);
    });
  }
});
