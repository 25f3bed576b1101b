import { type EventValues, O, type SyntheticProcess } from '@ringfence/synthetic';
import { REMOTE, type Scene, testContent } from './support.ts';

const WRITE = O.WRONLY | O.CREAT | O.TRUNC;
const APPEND = O.WRONLY | O.APPEND;

/** A command in a package's script, under apt-get. */
function packageScript(s: Scene, command: string, parent?: SyntheticProcess): SyntheticProcess {
  const dpkg = s.start('/usr/bin/dpkg --configure -a', s.start('/usr/bin/apt-get install -y x', parent));
  return s.start(command, s.start('/bin/sh /var/lib/dpkg/info/x.postinst configure', dpkg));
}

/** What vim opens when it writes `path` the careful way. */
function vim(s: Scene, path: string): void {
  const process = s.start(`/usr/bin/vim.basic ${path}`);
  const folder = path.slice(0, path.lastIndexOf('/'));
  s.open(process, `${folder}/.${path.slice(folder.length + 1)}.swp`, O.RDWR | O.CREAT);
  s.open(process, `${folder}/4913`, WRITE);
  s.open(process, path, O.RDONLY);
}

function loadModule(s: Scene, path: string, values: EventValues = {}, by = s.start('/usr/sbin/modprobe x')): void {
  s.event(by, 'Module', { operation: 1, name: 'x', path, ...values });
}

testContent('persistence.yaml', {
  'Cron job written in a container': {
    as: 'critical persistence T1053.003',
    fires: {
      'a shell plants a job': (s) => s.open(s.start('/bin/bash', s.inside), '/etc/cron.d/update', WRITE),
      'into the table of a user': (s) => s.open(s.inside, '/var/spool/cron/crontabs/root', APPEND),
      'a program that calls itself apt-get': (s) =>
        s.open(s.start('/tmp/apt-get', s.inside), '/etc/cron.d/update', WRITE),
    },
    quiet: {
      'on a host, which has its own rule': (s) => s.open(s.start('/bin/bash'), '/etc/cron.d/update', WRITE),
      'apt-get installs cron, from a script in /tmp': (s) => {
        const script = s.start('/bin/sh /tmp/setup.sh', s.inside);
        s.open(packageScript(s, '/usr/bin/cp a b', script), '/etc/cron.daily/logrotate', WRITE);
      },
      'dpkg unpacks a package': (s) =>
        s.open(s.start('/usr/bin/dpkg --unpack x.deb', s.inside), '/etc/cron.daily/dpkg.dpkg-new', WRITE),
      'cron reads its jobs': (s) => s.open(s.start('/usr/sbin/cron -f', s.inside), '/etc/cron.d/e2scrub_all'),
      'it may not': (s) => s.open(s.inside, '/etc/cron.d/update', WRITE, { result: -13 }),
      'a folder whose name begins alike': (s) => s.open(s.inside, '/etc/cron.deny', WRITE),
    },
  },
  'Cron job written': {
    as: 'warning persistence T1053.003',
    fires: {
      'a program that calls itself puppet': (s) => s.open(s.start('/tmp/puppet'), '/etc/cron.d/x', WRITE),
      'a shell appends a line': (s) => s.open(s.start('/bin/bash'), '/etc/crontab', APPEND),
      'a program that calls itself crontab': (s) =>
        s.open(s.start('/tmp/crontab'), '/var/spool/cron/crontabs/root', WRITE),
    },
    quiet: {
      'cron reads its jobs': (s) => s.open(s.start('/usr/bin/run-parts x'), '/etc/cron.daily/dpkg'),
      'puppet keeps it as it should be': (s) =>
        s.open(s.start('/opt/puppetlabs/puppet/bin/puppet agent'), '/etc/cron.d/x', WRITE),
      'crontab installs a table': (s) => s.open(s.start('/usr/bin/crontab -'), '/var/spool/cron/crontabs/tmp.x', WRITE),
      'its editor writes a copy': (s) => s.open(s.start('/usr/bin/vim.basic /tmp/crontab.x'), '/tmp/crontab.x', WRITE),
      'a package script': (s) => s.open(packageScript(s, '/usr/bin/cp a b'), '/etc/cron.d/x', WRITE),
      'in a container, which has its own rule': (s) => s.open(s.inside, '/etc/cron.d/x', WRITE),
    },
  },
  'Cron job moved or linked into place': {
    as: 'warning persistence T1053.003',
    fires: {
      'a job comes from a scratch folder': (s) =>
        s.change(s.start('/usr/bin/mv /tmp/x /etc/cron.d/'), 'RENAME', '/tmp/x', { target: '/etc/cron.d/x' }),
      'the long way round': (s) => s.change(s.start('/tmp/x'), 'RENAME', '/tmp/x', { target: '/etc/ssh/../cron.d//x' }),
      'a table of a user is a link': (s) =>
        s.change(s.start('/usr/bin/ln'), 'SYMLINK', '/var/spool/cron/crontabs/root', { target: '/tmp/x' }),
      'a hard link': (s) => s.change(s.start('/usr/bin/ln'), 'LINK', '/tmp/x', { target: '/etc/cron.daily/x' }),
    },
    quiet: {
      'an editor puts a new file in place of the old': (s) =>
        s.change(s.start('/usr/bin/sed -i x'), 'RENAME', '/etc/cron.d/sedX', { target: '/etc/cron.d/x' }),
      'a job is put aside': (s) => s.change(s.start('/usr/bin/mv'), 'RENAME', '/etc/cron.d/x', { target: '/root/x' }),
      'dpkg puts a new version in place': (s) =>
        s.change(s.start('/usr/bin/dpkg --unpack x'), 'LINK', '/etc/cron.d/x', { target: '/etc/cron.d/x.dpkg-tmp' }),
      'crontab installs a table': (s) =>
        s.change(s.start('/usr/bin/crontab -'), 'RENAME', '/var/spool/cron/tmp.x', {
          target: '/var/spool/cron/crontabs/ann',
        }),
      'it may not': (s) =>
        s.change(s.start('/usr/bin/mv'), 'RENAME', '/tmp/x', { target: '/etc/cron.d/x', result: -13 }),
      'a link to a job': (s) => s.change(s.start('/usr/bin/ln'), 'SYMLINK', '/root/job', { target: '/etc/cron.d/x' }),
    },
  },
  'Write to /etc/passwd': {
    as: 'error persistence privilege-escalation T1136.001 T1098',
    fires: {
      'a shell appends a user': (s) => s.open(s.start('/bin/bash'), '/etc/passwd', APPEND),
      'tee changes sudoers': (s) => s.open(s.start('/usr/bin/tee -a /etc/sudoers'), '/etc/sudoers', APPEND),
      'in a container': (s) => s.open(s.inside, '/etc/shadow', O.RDWR),
      'a program that calls itself useradd': (s) => s.open(s.start('/tmp/useradd'), '/etc/passwd', O.RDWR),
    },
    quiet: {
      'useradd adds a user': (s) => s.open(s.start('/usr/sbin/useradd -m ann'), '/etc/passwd', O.RDWR),
      'adduser under a package script': (s) => {
        const adduser = packageScript(s, '/usr/bin/perl /usr/sbin/adduser --system x');
        s.open(s.start('/usr/sbin/useradd x', adduser), '/etc/passwd', O.RDWR);
      },
      'systemd makes the users of a package': (s) =>
        s.open(s.start('/usr/bin/systemd-sysusers', s.init), '/etc/group', O.RDWR),
      'dnf, which is Python': (s) =>
        s.open(
          s.start('/usr/bin/python3 /usr/bin/dnf install x', s.shell, {}, '/usr/bin/python3.9'),
          '/etc/group',
          O.RDWR,
        ),
      'cloud-init makes the first user': (s) =>
        s.open(
          s.start('/usr/bin/python3 /usr/bin/cloud-init modules', s.init, {}, '/usr/bin/python3.11'),
          '/etc/shadow',
          O.RDWR,
        ),
      'vim looks at it': (s) => vim(s, '/etc/passwd'),
      'a login reads it': (s) => s.open(s.start('/usr/bin/login'), '/etc/passwd'),
    },
  },
  "SSH authorized keys written by a server's command": {
    as: 'critical persistence T1098.004',
    fires: {
      'under a program that calls itself sshd': (s) =>
        s.open(s.start('/bin/sh -c x', s.start('/tmp/sshd -R', s.sshd, REMOTE)), '/root/.ssh/authorized_keys', APPEND),
      'a web shell appends a key': (s) =>
        s.open(s.start('/bin/sh -c x', s.start('/usr/sbin/nginx', s.init)), '/var/www/.ssh/authorized_keys', APPEND),
    },
    quiet: {
      'ssh-copy-id, by an sshd that has the connection for its input': (s) =>
        s.open(
          s.start('/bin/sh -c x', s.start('/usr/sbin/sshd -R', s.sshd, REMOTE)),
          '/home/ann/.ssh/authorized_keys',
          APPEND,
        ),
      'a web shell reads them': (s) =>
        s.open(s.start('/bin/cat x', s.start('/usr/sbin/nginx', s.init)), '/root/.ssh/authorized_keys'),
    },
  },
  'SSH authorized keys written': {
    as: 'warning persistence T1098.004',
    fires: {
      'a shell appends a key': (s) => s.open(s.start('/bin/sh -c x'), '/root/.ssh/authorized_keys', APPEND),
      'in a container': (s) => s.open(s.inside, '/home/git/.ssh/authorized_keys', WRITE),
    },
    quiet: {
      'sshd reads it': (s) => s.open(s.sshd, '/root/.ssh/authorized_keys'),
      'a known host is added': (s) => s.open(s.start('/usr/bin/ssh web'), '/root/.ssh/known_hosts', APPEND),
      'cloud-init adds the first key': (s) =>
        s.open(
          s.start('/usr/bin/python3 /usr/bin/cloud-init init', s.init, {}, '/usr/bin/python3.11'),
          '/root/.ssh/authorized_keys',
          WRITE,
        ),
    },
  },
  'Systemd unit written': {
    as: 'warning persistence T1543.002',
    fires: {
      'a shell writes a unit': (s) => s.open(s.start('/bin/bash'), '/etc/systemd/system/x.service', WRITE),
      'a unit of a user': (s) => s.open(s.start('/tmp/x'), '/home/ann/.config/systemd/user/x.service', WRITE),
    },
    quiet: {
      'a file elsewhere': (s) => s.open(s.start('/bin/bash'), '/srv/x.service', WRITE),
      'systemctl enables one': (s) =>
        s.open(s.start('/usr/bin/systemctl edit x'), '/etc/systemd/system/x.service.d/o.conf', WRITE),
      'puppet keeps it as it should be': (s) =>
        s.open(s.start('/opt/puppetlabs/puppet/bin/puppet agent'), '/etc/systemd/system/x.service', WRITE),
      'somebody reads one': (s) => s.open(s.start('/usr/bin/cat x'), '/etc/systemd/system/x.service'),
      'dpkg unpacks a unit': (s) =>
        s.open(s.start('/usr/bin/dpkg --unpack x.deb'), '/lib/systemd/system/x.service.dpkg-new', WRITE),
      'the editor of systemctl edit': (s) =>
        s.open(
          s.start('/usr/bin/vim.basic', s.start('/usr/bin/systemctl edit x')),
          '/etc/systemd/system/x.service.d/.#override.conf1',
          WRITE,
        ),
      'systemd reads it': (s) => s.open(s.init, '/etc/systemd/system/x.service'),
      'netplan generates units': (s) =>
        s.open(s.start('/usr/libexec/netplan/generate', s.init), '/run/systemd/system/netplan-ovs.service', WRITE),
    },
  },
  'Shell start-up file written': {
    as: 'notice persistence T1546.004',
    fires: {
      'a line is added for a user': (s) => s.open(s.start('/bin/sh -c x'), '/home/ann/.bashrc', APPEND),
      'a file for everybody': (s) => s.open(s.start('/bin/sh -c x'), '/etc/profile.d/x.sh', WRITE),
    },
    quiet: {
      'another file of the same folder': (s) => s.open(s.start('/bin/sh -c x'), '/home/ann/.vimrc', WRITE),
      'puppet keeps it as it should be': (s) =>
        s.open(s.start('/opt/puppetlabs/puppet/bin/puppet agent'), '/etc/profile.d/x.sh', WRITE),
      'useradd copies the defaults': (s) => s.open(s.start('/usr/sbin/useradd -m bob'), '/home/bob/.bashrc', WRITE),
      'adduser copies the defaults': (s) =>
        s.open(s.start('/usr/bin/perl /usr/sbin/adduser bob'), '/home/bob/.profile', WRITE),
      'a package brings one': (s) => s.open(s.start('/usr/bin/dpkg --unpack x.deb'), '/etc/profile.d/vte.sh', WRITE),
      'bash reads it': (s) => s.open(s.shell, '/root/.bashrc'),
    },
  },
  'Library preloaded from a scratch folder': {
    as: 'error persistence stealth T1574.006',
    fires: {
      'a library in /tmp': (s) => s.start('/usr/bin/id', s.shell, { environment: ['LD_PRELOAD=/tmp/a.so'] }),
      'one behind others': (s) =>
        s.start('/usr/sbin/sshd', s.init, { environment: ['ENV=x', 'LD_PRELOAD=/usr/lib/a.so:/dev/shm/b.so'] }),
      'an auditor of the loader': (s) => s.start('/usr/bin/id', s.inside, { environment: ['LD_AUDIT=/var/tmp/a.so'] }),
    },
    quiet: {
      'an allocator that is installed': (s) =>
        s.start('/app/server', s.inside, { environment: ['LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libjemalloc.so.2'] }),
      'a search path': (s) => s.start('/usr/bin/id', s.shell, { environment: ['LD_LIBRARY_PATH=/tmp/build'] }),
      'no variables': (s) => s.start('/usr/bin/id'),
    },
  },
  'Preload library configured': {
    as: 'critical persistence stealth T1574.006',
    fires: { 'anybody writes it': (s) => s.open(s.start('/usr/bin/cp x y'), '/etc/ld.so.preload', WRITE) },
    quiet: {
      'every program reads it': (s) => s.open(s.start('/usr/bin/ls'), '/etc/ld.so.preload'),
      'ldconfig writes its cache': (s) => s.open(s.start('/sbin/ldconfig'), '/etc/ld.so.cache~', WRITE),
    },
  },
  'Kernel module loaded from a file': {
    as: 'error persistence T1547.006',
    fires: {
      'insmod, which is kmod': (s) =>
        s.start('insmod /tmp/rk.ko', s.shell, { filename: '/usr/sbin/insmod' }, '/usr/bin/kmod'),
      "busybox's insmod": (s) => s.start('insmod rk.ko', s.inside, {}, '/bin/busybox'),
    },
    quiet: {
      'Docker loads what it needs': (s) =>
        s.start(
          'modprobe -va overlay',
          s.start('/usr/bin/dockerd', s.init),
          { filename: '/usr/sbin/modprobe' },
          '/usr/bin/kmod',
        ),
      'somebody lists modules': (s) => s.start('lsmod', s.shell, { filename: '/usr/sbin/lsmod' }, '/usr/bin/kmod'),
      'a package script': (s) => packageScript(s, '/sbin/insmod x.ko'),
    },
  },
  'User added to a group of administrators': {
    as: 'warning persistence T1098.007',
    fires: {
      'by usermod': (s) => s.log("usermod[90]: add 'eve' to group 'sudo'"),
      'by gpasswd': (s) => s.log('gpasswd[90]: user eve added by root to group wheel'),
      'into docker, which is root': (s) => s.log("usermod[90]: add 'eve' to group 'docker'"),
    },
    quiet: {
      'into a group of no power': (s) => s.log("usermod[90]: add 'eve' to group 'audio'"),
      'a group whose name begins alike': (s) => s.log("usermod[90]: add 'eve' to group 'sudoku'"),
      'a new group': (s) => s.log('groupadd[90]: new group: name=sudo, GID=27'),
      'another program says so': (s) => s.log("app[90]: add 'eve' to group 'sudo'"),
    },
  },
  'Login account created': {
    as: 'notice persistence T1136.001',
    fires: {
      'with a shell': (s) =>
        s.log('useradd[90]: new user: name=eve, UID=1001, GID=1001, home=/home/eve, shell=/bin/bash, from=/dev/pts/1'),
    },
    quiet: {
      'of a service': (s) =>
        s.log('useradd[90]: new user: name=pg, UID=115, GID=120, home=/var/lib/pg, shell=/usr/sbin/nologin, from=none'),
      'its group': (s) => s.log('useradd[90]: new group: name=eve, GID=1001'),
    },
  },
  'Library loaded into every program': {
    as: 'error persistence T1574.006',
    fires: { 'ld.so.preload names it': (s) => s.finding('preload', '/usr/lib/libx.so') },
    quiet: {
      'the kernel is tainted': (s) => s.finding('taint', 'bit 12'),
      'a program loads one by itself': (s) => s.open(s.start('/usr/bin/x'), '/usr/lib/libx.so'),
    },
  },
  'Kernel module loaded from an unusual place': {
    as: 'critical persistence T1547.006',
    fires: {
      'from /tmp': (s) => loadModule(s, '/tmp/x.ko'),
      'by a container': (s) => loadModule(s, '/lib/modules/6.1/extra/x.ko', {}, s.inside),
      'by a container, from memory': (s) => loadModule(s, '', { fromMemory: true }, s.inside),
    },
    quiet: {
      'modprobe loads one that is installed': (s) => loadModule(s, '/lib/modules/6.1/kernel/fs/ext4/ext4.ko.xz'),
      'the kernel refuses it': (s) => loadModule(s, '/tmp/x.ko', { result: -1 }),
      'one is unloaded': (s) => loadModule(s, '/tmp/x.ko', { operation: 2 }),
    },
  },
});
