import { O, type SyntheticProcess } from '@ringfence/synthetic';
import { EXEC, NOBODY, REMOTE, type Scene, testContent } from './support.ts';

const AGENT = { image: 'gcr.io/cadvisor/cadvisor:v0.49' };
const BLOCK = 0o60600;
const [SETNS, UNSHARE] = [1, 2];
const NEWNS = 0x2_0000n;
const NEWUSER = 0x1000_0000n;

const MEMFD = '/memfd:runc_cloned:/proc/self/exe';
/** The runtime, as a copy of itself at this path, on its way to become the container's first program. */
const runtime = (s: Scene, path = MEMFD): SyntheticProcess => {
  const flags = path === MEMFD ? EXEC.memfd : 0;
  const copy = s.start('runc init', s.start('/usr/bin/runc create x', s.init), { flags }, path);
  return s.fork(s.fork(copy, { cgroup: s.inside.cgroup }));
};

const isolate = (s: Scene, process: SyntheticProcess, operation: number, option: bigint, result = 0): void =>
  s.event(process, 'Isolation', { operation, option, result, count: 1 });

/** The kernel asked whether it has the capability, of the host unless another user namespace is named, and said yes. */
const uses = (s: Scene, process: SyntheticProcess, capability: number, result = 0, userNamespace = 4026531837): void =>
  s.event(process, 'Capability', { capability, result, userNamespace, count: 1 });

const CGROUPS = { source: 'cgroup', target: '/sys/fs/cgroup', filesystem: 'cgroup2' };
const ROOT_MOUNTED = { mounts: [{ source: '/', destination: '/host', readonly: false }] };

/** A container with the host's root folder and process numbers that was started so many seconds ago: runc becomes a program in it. */
const sharing = (s: Scene, seconds: number): SyntheticProcess => {
  const startedAt = s.wallOffset + s.ktime - seconds * 1e6;
  s.container({
    cgroup: 4711n,
    id: 'c0ffee',
    name: 'web-2',
    image: 'shop:1',
    namespaces: ['pid=host'],
    startedAt,
    ...ROOT_MOUNTED,
  });
  const copy = s.start('runc init', s.start('/usr/bin/runc create x', s.init), {}, '/');
  return s.exec(s.fork(s.fork(copy, { cgroup: 4711n })), '/app/server');
};

testContent('escapes.yaml', {
  'Host reached through /proc/1/root': {
    as: 'critical privilege-escalation T1611',
    fires: {
      'a file of the host is read': (s) => s.start('/usr/bin/cat /proc/1/root/etc/shadow', s.inside),
      'a key is written by dd': (s) =>
        s.start('/usr/bin/dd if=key of=/proc/1/root/root/.ssh/authorized_keys', s.inside),
    },
    quiet: {
      'on the host': (s) => s.start('/usr/bin/ls /proc/1/root'),
      'its own program': (s) => s.start('/usr/bin/ls -l /proc/1/exe', s.inside),
      'an agent': (s) => s.start('/usr/bin/df /proc/1/root/', s.startContainer(AGENT)),
    },
  },
  'Control groups mounted in a container': {
    as: 'error privilege-escalation T1611',
    fires: {
      'the first step to a release agent': (s) =>
        s.mountChange(s.start('/usr/bin/mount', s.inside), 'MOUNT', {
          source: 'cgroup',
          target: '/tmp/c',
          filesystem: 'cgroup',
          options: 'rdma',
        }),
      'a program that takes the name of runc': (s) => s.mountChange(s.start('/runc', s.inside), 'MOUNT', CGROUPS),
    },
    quiet: {
      'by its runtime': (s) => s.mountChange(runtime(s), 'MOUNT', CGROUPS),
      'by its runtime, bound to itself': (s) => s.mountChange(runtime(s, '/'), 'MOUNT', CGROUPS),
      'by its runtime, in an overlay': (s) => s.mountChange(runtime(s, '/runc'), 'MOUNT', CGROUPS),
      'it may not': (s) =>
        s.mountChange(s.inside, 'MOUNT', { source: 'c', target: '/tmp/c', filesystem: 'cgroup', result: -1 }),
      'another file system': (s) =>
        s.mountChange(s.inside, 'MOUNT', { source: 'none', target: '/tmp/c', filesystem: 'tmpfs' }),
    },
  },
  'Disk of the host mounted by a container': {
    as: 'critical privilege-escalation T1611',
    fires: {
      'by a program of its own': (s) =>
        s.mountChange(s.start('/tmp/x', s.inside), 'MOUNT', {
          source: '/dev/vda1',
          target: '/mnt',
          filesystem: 'ext4',
        }),
    },
    quiet: {
      'a folder is bound': (s) => s.mountChange(s.inside, 'MOUNT', { source: '/srv', target: '/mnt', flags: 4096 }),
      'on the host': (s) =>
        s.mountChange(s.start('/usr/bin/mount'), 'MOUNT', { source: '/dev/vda1', target: '/mnt', filesystem: 'ext4' }),
      'it may not': (s) =>
        s.mountChange(s.inside, 'MOUNT', { source: '/dev/vda1', target: '/mnt', filesystem: 'ext4', result: -1 }),
    },
  },
  'Device node of a disk made in a container': {
    as: 'critical privilege-escalation T1611',
    fires: {
      'a disk': (s) =>
        s.change(s.start('/usr/bin/mknod x b 8 0', s.inside), 'MKNOD', '/tmp/x', { mode: BLOCK, special: 8 << 20 }),
    },
    quiet: {
      'a null device for a chroot': (s) =>
        s.change(s.inside, 'MKNOD', '/srv/root/dev/null', { mode: 0o20666, special: 259 }),
      'on the host': (s) =>
        s.change(s.start('/usr/bin/mknod x b 8 0'), 'MKNOD', '/tmp/x', { mode: BLOCK, special: 8 << 20 }),
      'it may not': (s) => s.change(s.inside, 'MKNOD', '/tmp/x', { mode: BLOCK, special: 8 << 20, result: -1 }),
    },
  },
  'Disk written by a container': {
    as: 'critical privilege-escalation T1611',
    fires: {
      'through a node of its own': (s) => s.open(s.start('/usr/bin/dd', s.inside), '/tmp/x', O.WRONLY, { mode: BLOCK }),
    },
    quiet: {
      'an ordinary file': (s) => s.open(s.inside, '/tmp/x', O.WRONLY),
      'on the host': (s) => s.open(s.start('/usr/sbin/mkfs.ext4 /dev/sdb'), '/dev/sdb', O.RDWR, { mode: BLOCK }),
      'an agent': (s) =>
        s.open(s.startContainer({ image: 'rancher/mirrored-longhornio-longhorn-manager:v1' }), '/dev/sdb', O.RDWR, {
          mode: BLOCK,
        }),
    },
  },
  'File system debugger on a disk in a container': {
    as: 'critical privilege-escalation T1611',
    fires: { debugfs: (s) => s.start('/sbin/debugfs -w /dev/vda1', s.inside) },
    quiet: {
      'on the host': (s) => s.start('/sbin/debugfs /dev/vda1'),
      'how full the disks are': (s) => s.start('/usr/bin/df -h', s.inside),
    },
  },
  'Container enters other namespaces': {
    as: 'error privilege-escalation T1611',
    fires: { 'mounts of another process': (s) => isolate(s, s.start('/tmp/x', s.inside), SETNS, NEWNS) },
    quiet: {
      'its runtime, for docker exec': (s) => isolate(s, runtime(s), SETNS, NEWNS),
      'it may not': (s) => isolate(s, s.inside, SETNS, NEWNS, -1),
      'on the host': (s) => isolate(s, s.start('/usr/bin/nsenter -t 1 -m'), SETNS, NEWNS),
    },
  },
  'User namespace made in a container': {
    as: 'warning privilege-escalation T1068',
    fires: { 'by an exploit': (s) => isolate(s, s.start('/tmp/x', s.inside), UNSHARE, NEWUSER | NEWNS) },
    quiet: {
      'by its runtime': (s) => isolate(s, runtime(s), UNSHARE, NEWUSER),
      'of mounts alone': (s) => isolate(s, s.inside, UNSHARE, NEWNS),
      'a build without root': (s) =>
        isolate(s, s.startContainer({ image: 'moby/buildkit:rootless' }), UNSHARE, NEWUSER),
    },
  },
  'Container runtime overwritten': {
    as: 'critical privilege-escalation T1611',
    fires: { 'from a container': (s) => s.open(s.start('/app/x', s.inside), '/usr/bin/runc', O.WRONLY | O.TRUNC) },
    quiet: {
      'it is upgraded': (s) => s.open(s.start('/usr/bin/dpkg --unpack runc.deb'), '/usr/bin/runc', O.WRONLY | O.CREAT),
      'it is read': (s) => s.open(s.start('/usr/bin/sha256sum /usr/bin/runc'), '/usr/bin/runc'),
      'a file of that name elsewhere': (s) => s.open(s.start('/usr/bin/cp'), '/home/ann/bin/runc', O.WRONLY | O.CREAT),
    },
  },
  "Container with the host's root folder started": {
    as: 'warning execution T1610',
    fires: { 'all of it': (s) => s.startContainer(ROOT_MOUNTED), "with the host's processes": (s) => sharing(s, 1) },
    quiet: {
      'a program is run in such a container later': (s) => sharing(s, 60),
      'it may only be read': (s) =>
        s.startContainer({ mounts: [{ source: '/', destination: '/host', readonly: true }] }),
      'a folder of data': (s) =>
        s.startContainer({ mounts: [{ source: '/srv/data', destination: '/data', readonly: false }] }),
      'an agent': (s) => s.startContainer({ ...ROOT_MOUNTED, ...AGENT }),
    },
  },
  'Privileged container started': {
    as: 'notice execution T1610',
    fires: { 'by docker run': (s) => s.startContainer({ privileged: true }) },
    quiet: {
      'an ordinary one': (s) => s.startContainer({ privileged: false }),
      'an agent': (s) => s.startContainer({ privileged: true, ...AGENT }),
    },
  },
  'Container asked for with the host inside': {
    as: 'warning privilege-escalation T1611',
    fires: {
      'its root folder': (s) => s.start('/usr/bin/docker run -it -v /:/mnt alpine chroot /mnt'),
      'the other way to say it': (s) => s.start('/usr/bin/docker run --mount type=bind,source=/,target=/mnt alpine'),
      'all rights and all processes': (s) => s.start('/usr/bin/podman run --privileged --pid=host alpine'),
    },
    quiet: {
      'a folder of data': (s) =>
        s.start('/usr/bin/docker run -v /srv/data:/data -v /etc/localtime:/etc/localtime:ro app'),
      'a build': (s) => s.start('/usr/bin/docker build -t app .'),
      'privileged alone, for a build': (s) =>
        s.start('/usr/bin/docker run --privileged tonistiigi/binfmt --install all'),
    },
  },
  'Client of a container engine started in a container': {
    as: 'warning execution T1609',
    fires: { kubectl: (s) => s.start('/tmp/kubectl get secrets -A', s.inside) },
    quiet: {
      'on the host': (s) => s.start('/usr/bin/kubectl get pods'),
      'a runner of builds': (s) =>
        s.start('/usr/bin/docker build .', s.startContainer({ image: 'gitlab/gitlab-runner:v17' })),
    },
  },
  'Interface of the cluster called by hand in a container': {
    as: 'warning discovery T1613',
    fires: {
      'the kubelet': (s) =>
        s.connect(s.start('/usr/bin/curl -k https://10.0.0.1:10250/pods', s.inside), '10.0.0.1', 10250),
      'an engine': (s) => s.connect(s.start('/usr/bin/wget http://172.17.0.1:2375/info', s.inside), '172.17.0.1', 2375),
    },
    quiet: {
      'an operator': (s) => s.connect(s.startContainer({}, '/manager'), '10.96.0.1', 6443),
      'a web site': (s) => s.connect(s.start('/usr/bin/curl u', s.inside), '10.96.0.1', 443),
      'on the host': (s) => s.connect(s.start('/usr/bin/curl u'), '10.0.0.1', 10250),
    },
  },
  'Container looks at how it is confined': {
    as: 'notice discovery T1613',
    fires: {
      capsh: (s) => s.start('/sbin/capsh --print', s.inside),
      'which container it is': (s) => s.start('/bin/cat /proc/1/cgroup', s.inside),
    },
    quiet: {
      'on the host': (s) => s.start('/bin/cat /proc/1/cgroup'),
      'another file': (s) => s.start('/bin/cat /proc/meminfo', s.inside),
    },
  },
  'Right over the host used by a container': {
    as: 'error privilege-escalation T1611',
    fires: {
      'a module is loaded': (s) => uses(s, s.start('/sbin/insmod x.ko', s.inside), 16),
      'memory of the machine is opened': (s) => uses(s, s.start('/tmp/x', s.inside), 17),
    },
    quiet: {
      'it has not got it': (s) => uses(s, s.start('/sbin/insmod x.ko', s.inside), 16, -1),
      'within a user namespace of its own': (s) => uses(s, s.start('/usr/bin/x', s.inside), 16, 0, 4026532500),
      'on the host': (s) => uses(s, s.start('/sbin/insmod x.ko'), 16),
      'a right that servers use': (s) => uses(s, s.inside, 10),
      'an agent that manages its host': (s) => uses(s, s.start('/usr/bin/x', s.startContainer(AGENT)), 17),
    },
  },
  "Right over the host used by a server's command in a container": {
    as: 'error privilege-escalation T1611',
    fires: {
      'in a reverse shell': (s) =>
        uses(s, s.start('/usr/bin/mount x', s.start('/bin/sh', s.inside, REMOTE), REMOTE), 21),
    },
    quiet: {
      "the container's own program": (s) => uses(s, s.start('/usr/bin/mount x', s.inside), 21),
      'it has not got it': (s) =>
        uses(s, s.start('/usr/bin/mount x', s.start('/bin/sh', s.inside, REMOTE), REMOTE), 21, -1),
      'the server itself': (s) =>
        uses(s, s.start('/usr/sbin/php-fpm8.2 -F', s.start('/usr/sbin/php-fpm8.2', s.inside)), 21),
      'an overlay asks with the rights of who mounted it': (s) =>
        uses(s, s.start('/usr/bin/cp a b', s.start('/bin/sh', s.inside, REMOTE), { ...NOBODY, ...REMOTE }), 21),
      'files of others': (s) => uses(s, s.start('/usr/bin/cat x', s.start('/bin/sh', s.inside, REMOTE), REMOTE), 1),
    },
  },
  'Right of root used for the first time by an image': {
    as: 'notice privilege-escalation T1611',
    fires: {
      'processes are looked into': (s) => uses(s, s.start('/usr/bin/x', s.inside), 19),
    },
    quiet: {
      'a right that servers use': (s) => uses(s, s.inside, 10),
      'it has not got it': (s) => uses(s, s.start('/usr/bin/x', s.inside), 19, -1),
      'a step of a build': (s) =>
        uses(s, s.start('/usr/bin/x', s.startContainer({ image: 'sha256:6ba9df55215a' })), 19),
      'on the host': (s) => uses(s, s.start('/usr/bin/x'), 19),
    },
  },
});
