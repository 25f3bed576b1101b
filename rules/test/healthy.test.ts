import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { O, type TestProcess } from '@ringfence/testkit';
import { UNSET_ID } from '@ringfence/wire';
import { EXEC, judge, PAIRED, Scene } from './support.ts';

const WRITE = O.WRONLY | O.CREAT | O.TRUNC;
const APPEND = O.WRONLY | O.APPEND;
const SH = '/usr/bin/dash';
const ID_STAYS = BigInt(UNSET_ID);

/** What the recommended rules say about a healthy machine: nothing from `warning` on; `notice` only where it is listed. */
function healthy(title: string, notices: readonly string[], play: (s: Scene) => void): void {
  it(title, () => {
    const scene = new Scene();
    play(scene);
    const recommended = judge(scene).filter(({ profile }) => profile === 'recommended');
    const found = recommended.filter(({ priority }) => priority !== 'informational');
    assert.deepEqual(
      found.filter(({ priority }) => priority !== 'notice'),
      [],
    );
    assert.deepEqual([...new Set(found.map(({ rule }) => rule))], notices);
  });
}

/** apt-get installs a package that has a user, a unit, a cron job and a set-user-id program. */
function aptInstall(s: Scene, parent: TestProcess): void {
  const apt = s.start('/usr/bin/apt-get install -y x', parent);
  s.connect(s.start('/usr/lib/apt/methods/http', apt), '151.101.2.132', 80);
  const dpkg = s.start('/usr/bin/dpkg --unpack x.deb', apt);
  for (const path of ['/usr/sbin/x', '/lib/systemd/system/x.service', '/etc/cron.daily/x', '/etc/profile.d/x.sh'])
    s.open(dpkg, `${path}.dpkg-new`, WRITE);
  s.open(dpkg, '/var/lib/dpkg/tmp.ci/preinst', WRITE);
  s.start('/bin/sh /var/lib/dpkg/tmp.ci/preinst', dpkg, { filename: '/var/lib/dpkg/tmp.ci/preinst' }, SH);
  const script = s.start(
    '/bin/sh /var/lib/dpkg/info/x.postinst',
    dpkg,
    { flags: EXEC.script, filename: '/x.postinst' },
    SH,
  );
  const adduser = s.start('/usr/bin/perl /usr/sbin/adduser --system x', script);
  s.open(adduser, '/etc/shadow');
  const useradd = s.start('/usr/sbin/useradd -r x', adduser);
  for (const path of ['/etc/passwd', '/etc/shadow', '/etc/group', '/etc/gshadow']) s.open(useradd, path, O.RDWR);
  s.start('/usr/bin/chmod 4755 /usr/sbin/x', script);
  s.start('/usr/bin/systemctl enable x', script);
  s.start('/usr/sbin/x --version', script);
}

describe('a healthy machine', () => {
  healthy('installs a package', [], (s) => aptInstall(s, s.shell));

  healthy('installs a package in a container, from a script in /tmp', [], (s) => {
    const script = s.start('/bin/sh /tmp/setup.sh', s.inside, { filename: '/bin/sh' }, SH);
    aptInstall(s, script);
  });

  healthy('lets people log in, with and without a terminal', [], (s) => {
    const session = s.start('/usr/lib/openssh/sshd-session -R', s.sshd);
    for (const path of ['/etc/ssh/ssh_host_ed25519_key', '/etc/shadow', '/root/.ssh/authorized_keys'])
      s.open(session, path);
    s.credentials(session, 1000);
    // whether root could be had back
    s.event(session, 'Attempt', { operation: 3, call: 8, result: -1, count: 1, second: ID_STAYS, third: ID_STAYS });
    s.start(['bash', '-c', 'git-upload-pack x'], session, PAIRED, '/usr/bin/bash');
    const shell = s.start('-bash', session, { tty: 34816 }, '/usr/bin/bash');
    for (const path of ['/etc/profile', '/home/ann/.bashrc', '/home/ann/.bash_history']) s.open(shell, path);
    for (const path of ['/usr/local/bin/id', '/home/ann/bin/id'])
      s.event(s.fork(shell), 'Attempt', { operation: 2, call: 5, result: -2, count: 1, path });
    s.event(s.fork(shell), 'Attempt', { operation: 2, call: 5, result: -13, count: 1, path: '/root/bin/id' });
    s.start('/usr/bin/id', shell);
    s.open(shell, '/home/ann/.bash_history', APPEND);
    s.open(s.start('/usr/bin/sudo -s', shell), '/etc/shadow');
    s.start('/usr/lib/systemd/systemd-user-sessions start', s.init);
  });

  healthy('runs its cron jobs', [], (s) => {
    const cron = s.start('/usr/sbin/cron -f', s.init);
    s.open(cron, '/etc/crontab');
    s.open(cron, '/etc/shadow');
    const parts = s.start(
      'run-parts /etc/cron.daily',
      s.start(['/bin/sh', '-c', 'run-parts'], cron, {}, SH),
      {},
      '/usr/bin/run-parts',
    );
    const rotate = s.start(
      '/usr/sbin/logrotate /etc/logrotate.conf',
      s.start('/bin/sh /etc/cron.daily/logrotate', parts, {}, SH),
    );
    s.open(rotate, '/var/log/syslog', WRITE);
    s.start(
      '/usr/bin/systemctl kill -s HUP rsyslog.service',
      s.start('/bin/sh /usr/lib/rsyslog/rsyslog-rotate', rotate, {}, SH),
    );
    s.open(
      s.start(
        'cmp -s /var/backups/shadow.bak /etc/shadow',
        s.start('/bin/sh /etc/cron.daily/passwd', parts, {}, SH),
        {},
        '/usr/bin/cmp',
      ),
      '/etc/shadow',
    );
  });

  healthy('builds and tests software', ['Executable run from a scratch folder'], (s) => {
    const npm = s.start('/usr/bin/node /usr/bin/npm ci', s.shell);
    s.connect(npm, '104.16.1.34', 443);
    s.open(npm, '/home/ann/app/node_modules/.bin/tsc', WRITE);
    s.open(npm, '/home/ann/app/node_modules/esbuild/bin/esbuild', WRITE);
    const script = s.start(['sh', '-c', 'node install.js'], npm, PAIRED, SH);
    s.start('/home/ann/app/node_modules/esbuild/bin/esbuild --version', script, PAIRED);
    const test = s.start('/usr/bin/node --test', s.start(['sh', '-c', 'node --test'], npm, PAIRED, SH), PAIRED);
    for (let port = 40_000; port < 40_060; port++) s.connect(test, '127.0.0.1', port);
    s.start('/usr/bin/git status', test, PAIRED);
    const cc = s.start('/usr/bin/gcc -o /tmp/conftest conftest.c', s.start('/bin/sh ./configure', s.shell, {}, SH));
    s.open(s.start('/usr/bin/ld -o /tmp/conftest', cc), '/tmp/conftest', WRITE);
    s.start('/tmp/conftest', s.shell);
    s.start('/tmp/pytest-1/fake-tool', s.start('/usr/bin/python3 -m pytest'));
  });

  healthy('fetches and edits code', [], (s) => {
    const git = s.start('/usr/bin/git fetch');
    const ssh = s.start('/usr/bin/ssh git@host git-upload-pack x', git);
    s.open(ssh, '/root/.ssh/id_ed25519');
    s.connect(ssh, '203.0.113.9', 22);
    const vim = s.start('/usr/bin/vim.basic app.ts');
    for (const name of ['.app.ts.swp', '4913', 'app.ts']) s.open(vim, `/root/app/${name}`, WRITE);
    s.open(vim, '/root/.viminfo', WRITE);
  });

  healthy('starts, checks and feeds containers', [], (s) => {
    const dockerd = s.start('/usr/bin/dockerd', s.init);
    s.start('modprobe -va overlay', dockerd, { filename: '/usr/sbin/modprobe' }, '/usr/bin/kmod');
    s.start('iptables --wait -t nat -F DOCKER', dockerd, {}, '/usr/sbin/xtables-nft-multi');
    const runc = s.start('/usr/bin/runc create x', s.start('/usr/bin/containerd-shim-runc-v2', s.init));
    s.start('runc init', runc, { flags: 3 }, '/memfd:runc_cloned:/proc/self/exe');
    const nginx = s.startContainer({}, '/usr/sbin/nginx');
    s.open(nginx, '/var/log/nginx/access.log', APPEND);
    s.connect(nginx, '172.20.0.3', 8080);
    // exec probes of the kubelet and of Docker
    const probe = s.start(['/bin/sh', '-c', 'curl -f http://localhost/'], s.fork(runc, { cgroup: nginx.cgroup }));
    s.start('/usr/bin/curl -f http://localhost/', probe);
    s.start('/usr/bin/pg_isready', s.fork(runc, { cgroup: nginx.cgroup }));
  });

  healthy('boots', [], (s) => {
    s.open(s.start('/usr/lib/systemd/systemd-sysctl', s.init), '/proc/sys/kernel/core_pattern', O.WRONLY);
    s.open(s.start('/usr/bin/systemd-sysusers', s.init), '/etc/passwd', O.RDWR);
    s.open(
      s.start('/usr/bin/python3 /usr/bin/cloud-init init', s.init, {}, '/usr/bin/python3.11'),
      '/root/.ssh/authorized_keys',
      WRITE,
    );
    s.start('/usr/sbin/nft -f /etc/nftables.conf', s.init);
    s.start('/usr/lib/systemd/systemd-executor --deserialize 48', s.init);
  });
});
