import { O } from '@ringfence/synthetic';
import { NOBODY, REMOTE, type RuleCases, type Scene, testContent } from './support.ts';

const WRITE = O.WRONLY | O.CREAT | O.TRUNC;

/** A shell on the host writes the path. */
const byShell = (path: string) => (s: Scene) => s.open(s.start('/bin/bash'), path, WRITE);
const inContainer = (path: string) => (s: Scene) => s.open(s.start('/bin/sh', s.inside), path, WRITE);
const byDpkg = (path: string) => (s: Scene) =>
  s.open(s.start('/usr/bin/dpkg --unpack x.deb'), `${path}.dpkg-new`, WRITE);
const read = (path: string) => (s: Scene) => s.open(s.start('/usr/bin/cat x'), path);

const moved = (by: string, from: string, to: string) => (s: Scene) =>
  s.change(s.start(by), 'RENAME', from, { target: to });

/** Of a rule on writes below some folders. */
function written(as: string, paths: readonly string[], elsewhere: string, quiet: RuleCases['quiet'] = {}): RuleCases {
  const [first = ''] = paths;
  return {
    as,
    fires: {
      ...Object.fromEntries(paths.map((path) => [`a shell writes ${path}`, byShell(path)])),
      'in a container': inContainer(first),
    },
    quiet: {
      'a package brings it': byDpkg(first),
      'somebody reads it': read(first),
      'a file elsewhere': byShell(elsewhere),
      ...quiet,
    },
  };
}

testContent('startup.yaml', {
  'Start-up script of the system written': written(
    'warning persistence T1037.004',
    ['/etc/rc.local', '/etc/init.d/x'],
    '/etc/rc.conf',
  ),
  'Device rule written': written(
    'warning persistence T1546.017',
    ['/etc/udev/rules.d/99-x.rules'],
    '/etc/udev/udev.conf',
  ),
  'Job of at written by hand': {
    as: 'error persistence T1053.002',
    fires: { 'a shell writes one': byShell('/var/spool/cron/atjobs/a0000101') },
    quiet: {
      'at writes it': (s) => s.open(s.start('/usr/bin/at now'), '/var/spool/cron/atjobs/a00001', WRITE),
      'atd reads it': (s) => s.open(s.start('/usr/sbin/atd -f', s.init), '/var/spool/cron/atjobs/a00001'),
    },
  },
  'Command left for later': {
    as: 'notice persistence T1053.002',
    fires: { 'in a minute': (s) => s.start('/usr/bin/at now + 1 minute') },
    quiet: {
      'the list is shown': (s) => s.start('/usr/bin/at -l'),
      'one is removed': (s) => s.start('/usr/bin/at -r 3'),
    },
  },
  'Table of cron taken from a scratch folder': {
    as: 'error persistence T1053.003',
    fires: { 'from /tmp': (s) => s.start('/usr/bin/crontab /tmp/jobs', s.inside) },
    quiet: {
      'it is edited': (s) => s.start('/usr/bin/crontab -e'),
      'from a home folder': (s) => s.start('/usr/bin/crontab /home/ann/jobs'),
    },
  },
  'Greeting of logins written': written(
    'warning persistence T1546',
    ['/etc/update-motd.d/00-header', '/etc/ssh/sshrc'],
    '/etc/motd',
  ),
  'Start-up command of SSH sessions written': {
    as: 'error persistence T1546.004',
    fires: { 'for root': byShell('/root/.ssh/rc') },
    quiet: {
      'sshd reads it': (s) => s.open(s.sshd, '/root/.ssh/rc'),
      'another file of the folder': byShell('/root/.ssh/config'),
    },
  },
  "Program put into a desktop's start-up": written(
    'notice persistence T1547.013',
    ['/etc/xdg/autostart/x.desktop', '/home/ann/.config/autostart/x.desktop'],
    '/home/ann/.config/x.desktop',
  ),
  'Program in a scratch folder put into a start-up folder': {
    as: 'error persistence T1547',
    fires: {
      'a unit': (s) =>
        s.change(s.start('/usr/bin/ln -s'), 'SYMLINK', '/etc/systemd/system/x.service', { target: '/tmp/x.service' }),
      'a start with the desktop': (s) =>
        s.change(s.start('/bin/ln'), 'SYMLINK', '/etc/xdg/autostart/x.desktop', { target: '/dev/shm/x' }),
    },
    quiet: {
      'a unit is enabled': (s) =>
        s.change(
          s.start('/usr/bin/systemctl enable x'),
          'SYMLINK',
          '/etc/systemd/system/multi-user.target.wants/x.service',
          { target: '/lib/systemd/system/x.service' },
        ),
      'a link elsewhere': (s) => s.change(s.start('/usr/bin/ln'), 'SYMLINK', '/home/ann/x', { target: '/tmp/x' }),
      'it may not': (s) =>
        s.change(s.start('/usr/bin/ln'), 'SYMLINK', '/etc/systemd/system/x', { target: '/tmp/x', result: -13 }),
    },
  },
  'Hook of a git repository written': {
    as: 'notice persistence T1546',
    fires: { 'by a shell': byShell('/home/ann/app/.git/hooks/post-commit') },
    quiet: {
      'git makes a repository': (s) => s.open(s.start('/usr/bin/git init'), '/home/ann/app/.git/hooks/pre-push', WRITE),
      'a sample': byShell('/home/ann/app/.git/hooks/pre-commit.sample'),
      'husky puts its own there': (s) =>
        s.open(s.start('/usr/bin/node node_modules/.bin/husky install'), '/home/ann/app/.git/hooks/pre-commit', WRITE),
    },
  },
  'Start-up file of Python written': {
    as: 'error persistence T1546.018',
    fires: {
      'a path file': (s) =>
        s.open(s.start('/usr/bin/python3 /tmp/x.py'), '/usr/lib/python3/dist-packages/x.pth', WRITE),
      'for a user': byShell('/home/ann/.local/lib/python3.11/site-packages/usercustomize.py'),
    },
    quiet: {
      'pip installs in place': (s) =>
        s.open(
          s.start('/usr/bin/python3 -m pip install -e .'),
          '/home/ann/.venv/lib/python3.11/site-packages/__editable__.app.pth',
          WRITE,
        ),
      'a module': byShell('/usr/lib/python3/dist-packages/x.py'),
      'a backup is taken back': (s) =>
        s.open(
          s.start('/usr/bin/python3 /usr/bin/borg extract ::one'),
          '/srv/b/etc/python3.11/sitecustomize.py',
          WRITE,
        ),
      'python reads them': (s) => s.open(s.start('/usr/bin/python3 x.py'), '/usr/lib/python3/dist-packages/x.pth'),
    },
  },
  'Interpreter told to load code first': {
    as: 'warning persistence stealth T1574',
    fires: {
      python: (s) => s.start('/usr/bin/python3 app.py', s.inside, { environment: ['PYTHONPATH=/tmp/lib'] }),
      bash: (s) => s.start('/bin/bash x', s.shell, { environment: ['BASH_ENV=/dev/shm/.x'] }),
      java: (s) =>
        s.start('/usr/bin/java -jar a.jar', s.inside, { environment: ['JAVA_TOOL_OPTIONS=-javaagent:/tmp/a.jar'] }),
      'pkexec, by the name of a character set': (s) =>
        s.start('/usr/bin/pkexec', s.shell, { environment: ['GCONV_PATH=./x'] }),
    },
    quiet: {
      'modules of the application': (s) =>
        s.start('/usr/bin/python3 app.py', s.inside, { environment: ['PYTHONPATH=/app/lib'] }),
      'an agent that is installed': (s) =>
        s.start('/usr/bin/java', s.inside, { environment: ['JAVA_TOOL_OPTIONS=-javaagent:/opt/apm.jar'] }),
      'under make': (s) =>
        s.start('/usr/bin/python3 t.py', s.start('/usr/bin/make'), { environment: ['PYTHONPATH=/tmp/build'] }),
    },
  },
  'Configuration of the loader written': written(
    'warning persistence stealth T1574.006',
    ['/etc/ld.so.conf.d/x.conf'],
    '/etc/ld.so.cache',
  ),
  'Preload library moved into place': {
    as: 'critical persistence stealth T1574.006',
    fires: {
      'by mv': (s) => s.change(s.start('/usr/bin/mv x y'), 'RENAME', '/tmp/x', { target: '/etc/ld.so.preload' }),
      'as a link': (s) => s.change(s.start('/usr/bin/ln'), 'SYMLINK', '/etc/ld.so.preload', { target: '/tmp/x' }),
    },
    quiet: {
      'it is put aside': (s) => s.change(s.start('/usr/bin/mv'), 'RENAME', '/etc/ld.so.preload', { target: '/root/x' }),
      'it may not': (s) =>
        s.change(s.start('/usr/bin/mv'), 'RENAME', '/tmp/x', { target: '/etc/ld.so.preload', result: -13 }),
    },
  },
  'Program of the system overwritten': {
    as: 'error persistence T1554',
    fires: {
      ps: byShell('/usr/bin/ps'),
      'sshd, in a container': inContainer('/usr/sbin/sshd'),
      'by what an engine has started': (s) =>
        s.open(s.start('/bin/cp x /bin/sh', s.start('/usr/bin/dockerd', s.init)), '/bin/sh', WRITE),
    },
    quiet: {
      'it is upgraded': (s) => s.open(s.start('/usr/bin/dpkg --unpack procps.deb'), '/usr/bin/ps', WRITE),
      'an engine unpacks an image, below a root folder of its own': (s) =>
        s.open(s.start(['docker-untar', '/', '/x'], s.init, {}, '/usr/bin/dockerd'), '/usr/bin/ps', WRITE),
      'a program of the same name': byShell('/usr/local/bin/ps'),
      'another program is installed': (s) => s.open(s.start('/usr/bin/install app /usr/bin'), '/usr/bin/app', WRITE),
    },
  },
  'Start-up script moved into place': {
    as: 'warning persistence T1037.004 T1546',
    fires: {
      'rc.local': moved('/usr/bin/mv x y', '/tmp/x', '/etc/rc.local'),
      'a rule for devices': moved('/usr/bin/mv x y', '/home/ann/x', '/etc/udev/rules.d/99-x.rules'),
    },
    quiet: {
      'an editor within the folder': moved('/usr/bin/sed -i x y', '/etc/init.d/sedx1y2z3', '/etc/init.d/x'),
      'a package brings one': moved('/usr/bin/dpkg --unpack x', '/etc/init.d/x.dpkg-new', '/etc/init.d/x'),
      'one is taken away': moved('/usr/bin/mv x y', '/etc/rc.local', '/root/rc.local.old'),
    },
  },
  'Systemd unit moved into place': {
    as: 'warning persistence T1543.002',
    fires: {
      'by mv': moved('/usr/bin/mv x y', '/tmp/x.service', '/etc/systemd/system/x.service'),
      'by a hard link': (s) =>
        s.change(s.start('/usr/bin/ln'), 'LINK', '/var/x.service', { target: '/etc/systemd/system/x.service' }),
    },
    quiet: {
      'systemctl edits one': moved(
        '/usr/bin/systemctl edit x',
        '/etc/systemd/system/x.service.d/.#override.conf1',
        '/etc/systemd/system/x.service.d/override.conf',
      ),
      'an editor within the folder': moved(
        '/usr/bin/vim x',
        '/etc/systemd/system/4913',
        '/etc/systemd/system/x.service',
      ),
      'a package brings one': moved('/usr/bin/dpkg --unpack x', '/lib/systemd/x', '/lib/systemd/system/x.service'),
    },
  },
  'Shell start-up file moved into place': {
    as: 'notice persistence T1546.004',
    fires: {
      'of the system': moved('/usr/bin/mv x y', '/etc/x', '/etc/profile.d/x.sh'),
      'of somebody': moved('/usr/bin/sed -i x y', '/home/ann/sedx1y2z3', '/home/ann/.bashrc'),
    },
    quiet: {
      'a copy is kept': moved('/usr/bin/vim x', '/home/ann/.bashrc', '/home/ann/.bashrc~'),
      'a package brings one': moved('/usr/bin/dpkg --unpack x', '/etc/profile.d/x.sh.dpkg-new', '/etc/profile.d/x.sh'),
    },
  },
  'Program of the system replaced': {
    as: 'error persistence T1554',
    fires: { 'by mv': moved('/usr/bin/mv /tmp/ps /usr/bin/ps', '/tmp/ps', '/usr/bin/ps') },
    quiet: {
      'an upgrade': moved('/usr/bin/dpkg --unpack x', '/usr/bin/ps.dpkg-new', '/usr/bin/ps'),
      'another program is installed': moved('/usr/bin/mv x y', '/tmp/kubectl', '/usr/bin/kubectl'),
      'where administrators install theirs': moved('/usr/bin/mv x y', '/tmp/curl', '/usr/local/bin/curl'),
    },
  },
  'Unit enabled from a scratch folder': {
    as: 'error persistence T1543.002',
    fires: { 'from /tmp': (s) => s.start('/usr/bin/systemctl enable --now /tmp/x.service') },
    quiet: {
      'one that is installed': (s) => s.start('/usr/bin/systemctl enable nginx'),
      'from a home folder': (s) => s.start('/usr/bin/systemctl link /home/ann/app.service'),
    },
  },
  'Generator of units written': written(
    'error persistence T1543.002',
    ['/etc/systemd/system-generators/x'],
    '/etc/systemd/system.conf',
  ),
  'Module named to be loaded at boot': written(
    'warning persistence T1547.006',
    ['/etc/modules-load.d/x.conf', '/etc/modules'],
    '/etc/mime.types',
  ),
  'Boot image or loader changed': written(
    'warning persistence T1542',
    ['/etc/initramfs-tools/hooks/x', '/boot/grub/grub.cfg'],
    '/boot/notes',
    {
      'grub is configured': (s) =>
        s.open(s.start('/usr/bin/sh /usr/sbin/grub-mkconfig -o x'), '/boot/grub/grub.cfg', WRITE),
    },
  ),
  'Hook of the package manager written': written(
    'warning persistence T1546.016',
    ['/etc/apt/apt.conf.d/99x'],
    '/etc/apt/sources.list',
  ),
  'Hook of the network written': written(
    'warning persistence T1546',
    ['/etc/NetworkManager/dispatcher.d/x'],
    '/etc/NetworkManager/conf.d/x',
  ),
  'Script written into a web folder by its server': {
    as: 'warning persistence T1505.003',
    fires: {
      php: (s) => s.open(s.start('/usr/sbin/php-fpm8.2 -F', s.init), '/var/www/html/uploads/x.php', WRITE),
      java: (s) => s.open(s.start('/usr/bin/java', s.init), '/opt/tomcat/webapps/x.jsp', WRITE),
    },
    quiet: {
      'a picture': (s) => s.open(s.start('/usr/sbin/php-fpm8.2 -F', s.init), '/var/www/html/uploads/x.png', WRITE),
      'it is deployed': (s) => s.open(s.start('/usr/bin/rsync -a x y'), '/var/www/html/x.php', WRITE),
    },
  },
  "Script written into a web folder by a server's command": {
    as: 'error persistence T1505.003',
    fires: {
      'a shell under httpd': (s) =>
        s.open(s.start('/bin/sh -c x', s.start('/usr/sbin/httpd', s.init), NOBODY), '/var/www/html/s.php', WRITE),
      'curl in a reverse shell': (s) =>
        s.open(s.start('/usr/bin/curl -o s.jsp u', s.inside, REMOTE), '/opt/tomcat/webapps/s.jsp', WRITE),
    },
    quiet: {
      'it is deployed': (s) => s.open(s.start('/usr/bin/git pull'), '/var/www/html/x.php', WRITE),
      'a page without code': (s) =>
        s.open(s.start('/bin/sh -c x', s.start('/usr/sbin/httpd', s.init)), '/var/www/html/cache.html', WRITE),
    },
  },
  'Extension of a browser or an editor written': {
    as: 'notice persistence T1176.001 T1176.002',
    fires: {
      'of a browser': (s) => byShell('/home/ann/.mozilla/firefox/x.default/extensions/a@b.xpi')(s),
      'of an editor': (s) => byShell('/home/ann/.vscode/extensions/a.b-1/extension.js')(s),
    },
    quiet: {
      'the browser does': (s) =>
        s.open(s.start('/usr/lib/firefox/firefox'), '/home/ann/.mozilla/firefox/x.default/extensions/a@b.xpi', WRITE),
      'another folder': (s) => byShell('/home/ann/app/extensions/x.js')(s),
    },
  },
  'Image made of a running container': {
    as: 'notice persistence T1525',
    fires: {
      docker: (s) => s.start('/usr/bin/docker commit web-1 shop:2'),
    },
    quiet: {
      'one is built': (s) => s.start('/usr/bin/docker build -t shop:2 .'),
      'another tool': (s) => s.start('/usr/bin/git commit -m x'),
    },
  },
  'Machine kept from sleeping': {
    as: 'notice persistence T1653',
    fires: {
      masked: (s) => s.start('/usr/bin/systemctl mask sleep.target suspend.target'),
    },
    quiet: {
      'another unit': (s) => s.start('/usr/bin/systemctl mask cups.service'),
      'it sleeps': (s) => s.start('/usr/bin/systemctl suspend'),
    },
  },
});
