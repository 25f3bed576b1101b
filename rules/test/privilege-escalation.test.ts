import { credentialsOf, O, type TestProcess } from '@ringfence/testkit';
import { UNSET_ID } from '@ringfence/wire';
import { EXEC, NOBODY, RAISED, type Scene, testContent, USER } from './support.ts';

const WRITE = O.WRONLY | O.CREAT | O.TRUNC;
const SETUID = { ...RAISED, flags: EXEC.setuid };

/** enum rf_attempt_call */
const [CAPSET_CALL, SETUID_CALL, SETGID_CALL, SETRESUID_CALL] = [7, 8, 9, 14];
const STAYS = BigInt(UNSET_ID);

/** A change of credentials fails with EPERM; without ids it asks for 0. */
function refused(s: Scene, process: TestProcess, call: number, first = 0n, second = STAYS, third = STAYS): void {
  s.event(process, 'Attempt', { operation: 3, call, result: -1, count: 1, first, second, third });
}

testContent('privilege-escalation.yaml', {
  'Set-user-id program raised privileges to root': {
    as: 'critical privilege-escalation T1548.001',
    fires: {
      'a forgotten helper': (s) => s.start('/opt/shop/backup-helper -p', s.inside, SETUID),
      'a copy of a shell': (s) => s.start('/tmp/.sh -p', s.shell, SETUID),
    },
    quiet: {
      'a program that one of the system starts': (s) => s.start('/opt/print/filter', s.shell, RAISED),
      sudo: (s) => s.start('/usr/bin/sudo -s', s.shell, SETUID),
      "the browser's sandbox": (s) => s.start('/opt/google/chrome/chrome-sandbox', s.shell, SETUID),
      'root runs the helper': (s) => s.start('/opt/shop/backup-helper', s.shell, { flags: EXEC.setuid }),
      'it belongs to another user': (s) =>
        s.start('/opt/games/score', s.shell, { credentials: { ...credentialsOf(5), uid: 1000 }, flags: EXEC.setuid }),
    },
  },
  'Process became root without a set-user-id program': {
    as: 'critical privilege-escalation T1068',
    fires: {
      'a program of a user becomes root': (s) => s.credentials(s.start('/home/ann/exploit', s.shell, USER), 0),
      'nobody becomes root': (s) => s.credentials(s.start('/app/worker', s.inside, NOBODY), { euid: 0 }),
    },
    quiet: {
      'a program changes its group': (s) => s.credentials(s.start('/usr/bin/newgrp x', s.shell, USER), { gid: 27 }),
      'root gives up what it was before': (s) => s.credentials(s.start('/opt/x', s.shell, RAISED), 0),
      'sudo goes back and forth': (s) => {
        const sudo = s.start('/usr/bin/sudo -s', s.shell, SETUID);
        s.credentials(sudo, { euid: 1000 });
        s.credentials(sudo, { euid: 0 });
      },
      'a service of root goes back and forth': (s) => {
        const samba = s.start('/usr/sbin/smbd', s.init);
        s.credentials(samba, { euid: 1000 });
        s.credentials(samba, { euid: 0 });
      },
      'sshd becomes the user who logs in': (s) => s.credentials(s.start('/usr/lib/openssh/sshd-session', s.sshd), 1000),
    },
  },
  'Privileges of root refused': {
    as: 'warning privilege-escalation T1548',
    fires: {
      'an exploit that did not work': (s) => refused(s, s.start('/home/ann/exploit', s.shell, USER), SETUID_CALL),
      'by any of its ids': (s) => refused(s, s.start('/app/x', s.inside, NOBODY), SETRESUID_CALL, STAYS, 0n, STAYS),
      'an interpreter': (s) =>
        refused(s, s.start(['python3', '-c', 'x'], s.shell, USER, '/usr/bin/python3.11'), SETUID_CALL),
      'a capability': (s) =>
        refused(s, s.start('/home/ann/exploit', s.shell, USER), CAPSET_CALL, 1n << 21n, 1n << 21n, 0n),
    },
    quiet: {
      'sshd tries whether it could be root again': (s) =>
        refused(s, s.start('/usr/lib/openssh/sshd-session', s.sshd, USER), SETUID_CALL),
      'so does apt': (s) => refused(s, s.start('/usr/lib/apt/methods/http', s.shell, NOBODY), SETUID_CALL),
      'another user': (s) => refused(s, s.start('/app/x', s.inside, NOBODY), SETRESUID_CALL, 1000n, 1000n),
      'a group': (s) => refused(s, s.start('/app/x', s.inside, NOBODY), SETGID_CALL),
      'a capability of less': (s) =>
        refused(s, s.start('/app/x', s.inside, NOBODY), CAPSET_CALL, 1n << 10n, 1n << 10n, 0n),
      'an id that the namespace does not have': (s) =>
        s.event(s.start('/app/x', s.inside), 'Attempt', { operation: 3, call: SETUID_CALL, result: -22, count: 1 }),
      'it became root, which is another rule': (s) => s.credentials(s.start('/home/ann/x', s.shell, USER), 0),
    },
  },
  'Shell with raised privileges': {
    as: 'error privilege-escalation T1548',
    fires: { 'bash -p': (s) => s.start('/bin/bash -p', s.shell, RAISED) },
    quiet: {
      "root's shell": (s) => s.start('/bin/bash'),
      'the shell of a user': (s) => s.start('/bin/bash', s.shell, USER),
      'a program of the system': (s) => s.start('/usr/bin/mount x', s.shell, RAISED),
      "busybox's su": (s) => s.start('su', s.inside, RAISED, '/bin/busybox'),
    },
  },
  'Set-user-id bit or capability given to a file': {
    as: 'warning privilege-escalation T1548.001',
    fires: {
      'by letters': (s) => s.start('/usr/bin/chmod u+s /tmp/sh'),
      'by number': (s) => s.start('/usr/bin/chmod 4755 /opt/x', s.inside),
      'a capability': (s) => s.start('/usr/sbin/setcap cap_setuid+ep /opt/python3'),
    },
    quiet: {
      'an image is built': (s) => s.start('/bin/chmod u+s /x', s.startContainer({ image: 'moby/buildkit:v0.20' })),
      'made executable': (s) => s.start('/usr/bin/chmod u+x,g+s run.sh'),
      'by a plain number': (s) => s.start('/usr/bin/chmod 0755 /opt/x'),
      'a folder of a group': (s) => s.start('/usr/bin/chmod 2775 /srv/team'),
      'a server may use low ports': (s) => s.start('/usr/sbin/setcap cap_net_bind_service=+ep /usr/bin/caddy'),
      'a package script': (s) => s.start('/usr/bin/chmod 4755 /usr/bin/x', s.start('/usr/bin/dpkg --configure -a')),
    },
  },
  'Set-user-id bit set in a scratch folder': {
    as: 'warning privilege-escalation T1548.001',
    fires: {
      'of a copy of a shell': (s) => s.change(s.start('/usr/bin/python3 x.py'), 'CHMOD', '/tmp/.sh', { mode: 0o4755 }),
      'with the group as well, by a longer name': (s) =>
        s.change(s.start('/app/x', s.inside), 'CHMOD', '/app/../dev/shm/x', { mode: 0o6755 }),
    },
    quiet: {
      'a folder of a group': (s) => s.change(s.start('/usr/bin/chmod g+s x'), 'CHMOD', '/tmp/team', { mode: 0o2775 }),
      'a sticky folder': (s) => s.change(s.start('/usr/bin/chmod'), 'CHMOD', '/tmp/all', { mode: 0o1777 }),
      'an archive is unpacked': (s) =>
        s.change(s.start('/usr/bin/tar xf x'), 'CHMOD', '/tmp/root/su', { mode: 0o4755 }),
      'a package is installed': (s) =>
        s.change(s.start('/usr/bin/dpkg --unpack x'), 'CHMOD', '/tmp/x', { mode: 0o4755 }),
      'an image is built': (s) =>
        s.change(s.startContainer({ image: 'moby/buildkit:v0.20' }), 'CHMOD', '/tmp/x', { mode: 0o4755 }),
      'it may not': (s) => s.change(s.shell, 'CHMOD', '/tmp/x', { mode: 0o4755, result: -1 }),
    },
  },
  'Pages of a system file moved into a pipe': {
    as: 'warning privilege-escalation T1068',
    fires: {
      'of the user database': (s) =>
        s.change(s.start('/tmp/dp', s.shell, USER), 'SPLICE', '/etc/passwd', { result: 1 }),
      'of a set-user-id program': (s) =>
        s.change(s.start('/app/x', s.inside, NOBODY), 'SPLICE', '/usr/bin/su', { result: 1 }),
    },
    quiet: {
      'of a file of data': (s) =>
        s.change(s.start('/usr/bin/pv', s.shell, USER), 'SPLICE', '/srv/dump', { result: 4096 }),
      'nothing was moved': (s) =>
        s.change(s.start('/usr/bin/pv', s.shell, USER), 'SPLICE', '/etc/passwd', { result: -22 }),
    },
  },
  'Sudo rule written': {
    as: 'error privilege-escalation T1548.003',
    fires: { 'tee writes one': (s) => s.open(s.start('/usr/bin/tee x'), '/etc/sudoers.d/ann', WRITE) },
    quiet: {
      'a file elsewhere': (s) => s.open(s.start('/usr/bin/tee x'), '/etc/sudo.conf', WRITE),
      'puppet keeps it as it should be': (s) =>
        s.open(s.start('/opt/puppetlabs/puppet/bin/puppet agent'), '/etc/sudoers.d/ops', WRITE),
      "visudo's editor": (s) => s.open(s.start('/usr/bin/vim x'), '/etc/sudoers.d/ann.tmp', WRITE),
      'a copy that sudo leaves alone': (s) => s.open(s.start('/usr/bin/vim x'), '/etc/sudoers.d/ann~', WRITE),
      'visudo writes one': (s) => s.open(s.start('/usr/sbin/visudo -f x'), '/etc/sudoers.d/ann.tmp', WRITE),
      'sudo reads them': (s) => s.open(s.start('/usr/bin/sudo -s'), '/etc/sudoers.d/README'),
      'a package brings one': (s) =>
        s.open(s.start('/usr/bin/dpkg --unpack x.deb'), '/etc/sudoers.d/x.dpkg-new', WRITE),
    },
  },
  'Namespace tool enters the host from a container': {
    as: 'critical privilege-escalation T1611',
    fires: {
      'nsenter into pid 1': (s) => s.start('/usr/bin/nsenter -t 1 -m -p bash', s.inside),
      "busybox's nsenter": (s) =>
        s.start('nsenter --target=1 --mount sh', s.inside, { filename: '/usr/bin/nsenter' }, '/bin/busybox'),
      'chroot into the host': (s) => s.start('/usr/sbin/chroot /host bash', s.inside),
    },
    quiet: {
      'on the host': (s) => s.start('/usr/bin/nsenter -t 812 -n ss'),
      'its help': (s) => s.start('/usr/bin/nsenter --help', s.inside),
      'chroot into a folder of its own': (s) => s.start('/usr/sbin/chroot /var/lib/jail bash', s.inside),
      'an agent that manages its host': (s) =>
        s.start(
          '/usr/bin/nsenter -t 1 -m lsblk',
          s.startContainer({ image: 'rancher/mirrored-longhornio-longhorn-manager:v1.7' }),
        ),
    },
  },
  'Host disk mounted in a container': {
    as: 'critical privilege-escalation T1611',
    fires: { 'the first disk': (s) => s.start('/usr/bin/mount /dev/sda1 /mnt', s.inside) },
    quiet: {
      'a storage agent': (s) =>
        s.start(
          '/usr/bin/mount /dev/sdb /mnt',
          s.startContainer({ image: 'rancher/mirrored-longhornio-longhorn-manager' }),
        ),
      'a disk is listed': (s) => s.start('/usr/bin/lsblk /dev/sda1', s.inside),
      'a file system in memory': (s) => s.start('/usr/bin/mount -t tmpfs tmpfs /mnt', s.inside),
      'on the host': (s) => s.start('/usr/bin/mount /dev/sda1 /mnt'),
      'somebody looks': (s) => s.start('/usr/bin/mount', s.inside),
    },
  },
  'Container runtime socket used from a container': {
    as: 'critical privilege-escalation T1611',
    fires: {
      "Docker's": (s) => s.connect(s.start('/usr/bin/curl --unix-socket x', s.inside), '/run/docker.sock'),
      "containerd's": (s) => s.connect(s.inside, '/run/containerd/containerd.sock'),
    },
    quiet: {
      'an image that is meant to': (s) =>
        s.connect(s.startContainer({ image: 'portainer/portainer-ce:2.21' }), '/var/run/docker.sock'),
      'docker on the host': (s) => s.connect(s.start('/usr/bin/docker ps'), '/run/docker.sock'),
      'another socket': (s) => s.connect(s.inside, '/run/postgresql/.s.PGSQL.5432'),
    },
  },
  'Release agent or core pattern written': {
    as: 'critical privilege-escalation T1611',
    fires: {
      'the release agent': (s) => s.open(s.start('/bin/sh', s.inside), '/sys/fs/cgroup/rdma/release_agent', O.WRONLY),
      'the core pattern': (s) => s.open(s.start('/bin/sh'), '/proc/sys/kernel/core_pattern', O.WRONLY),
      'sysctl in a container': (s) =>
        s.open(s.start('/usr/sbin/sysctl -w x', s.inside), '/proc/sys/kernel/core_pattern', O.WRONLY),
    },
    quiet: {
      'another setting': (s) => s.open(s.start('/bin/sh'), '/proc/sys/net/ipv4/ip_forward', O.WRONLY),
      'settings at boot': (s) =>
        s.open(s.start('/usr/lib/systemd/systemd-sysctl', s.init), '/proc/sys/kernel/core_pattern', O.WRONLY),
      'systemd sets up its own group': (s) => s.open(s.init, '/sys/fs/cgroup/systemd/release_agent', O.WRONLY),
      'somebody looks': (s) => s.open(s.start('/usr/bin/cat x'), '/proc/sys/kernel/core_pattern'),
    },
  },
  'Kernel helper changed by a container': {
    as: 'critical privilege-escalation T1611',
    fires: {
      'core_pattern becomes a pipe': (s) =>
        s.event(s.inside, 'Sysctl', { name: 'kernel/core_pattern', after: '|/tmp/x' }),
      'another modprobe': (s) => s.event(s.inside, 'Sysctl', { name: 'kernel/modprobe', after: '/tmp/x' }),
    },
    quiet: {
      'the host sets it at boot': (s) =>
        s.event(s.start('/usr/lib/systemd/systemd-sysctl'), 'Sysctl', { name: 'kernel/core_pattern', after: 'core' }),
      'a container sets its own network up': (s) =>
        s.event(s.inside, 'Sysctl', { name: 'net/ipv4/ip_forward', before: '0', after: '1' }),
    },
  },
  'Sudo refused several times': {
    as: 'warning privilege-escalation T1548.003',
    fires: {
      'a wrong password, and a command that is not theirs': (s) =>
        s.log(
          'sudo: eve : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/sh',
          'sudo: eve : command not allowed ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/cat /etc/shadow',
          'sudo: eve : user NOT in sudoers ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/sh',
        ),
    },
    quiet: {
      'somebody mistypes': (s) =>
        s.log(
          'sudo: ann : 1 incorrect password attempt ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/true',
          'sudo: ann : 1 incorrect password attempt ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/true',
        ),
      'three users, once each': (s) => {
        for (const user of ['ann', 'bob', 'eve'])
          s.log(`sudo: ${user} : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/sh`);
      },
      'commands that are allowed': (s) => {
        for (let i = 0; i < 5; i++) s.log('sudo: ann : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/apt update');
      },
    },
  },
  "Kernel starts somebody's program": {
    as: 'critical privilege-escalation T1611',
    fires: {
      'core dumps go to a scratch folder': (s) => s.finding('core-pattern', '/proc/sys/kernel/core_pattern'),
      'an empty cgroup runs something': (s) => s.finding('release-agent', '/sys/fs/cgroup/rdma/release_agent'),
    },
    quiet: {
      'a BPF program that nobody has named': (s) => s.finding('bpf-program', 'trace (12)'),
      'a library is preloaded, which has its own rule': (s) => s.finding('preload', '/usr/lib/libx.so'),
    },
  },
});
