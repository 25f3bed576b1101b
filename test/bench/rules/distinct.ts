/** Generates rules of which no two have the same fields, operators and nesting, whatever their literals. */

type Random = (below: number) => number;
/** A comparison with placeholders `<kind>` for its literals */
type Part = string;

const ACTIONS: Readonly<Record<string, readonly Part[]>> = {
  exec: [
    'process.executable startswith (<folder>, <folder>)',
    'process.executable in (<program>, <program>)',
    'process.executable endswith <file>',
    'process.executable glob <glob>',
    'process.name in (<name>, <name>, <name>)',
    'process.name startswith <name>',
    'process.args in (<flag>, <flag>)',
    'process.args startswith <flag>',
    'process.command_line contains (<phrase>, <phrase>)',
    'process.command_line icontains <phrase>',
    'process.command_line regex <regex>',
    'process.command_line glob <words>',
    'process.working_directory startswith <folder>',
    'process.env_vars startswith <variable>',
    'process.script pmatch (<folder>)',
  ],
  open: [
    'file.path in (<path>, <path>, <path>)',
    'file.path startswith (<folder>, <folder>)',
    'file.path endswith (<file>, <file>)',
    'file.path pmatch (<folder>, <folder>)',
    'file.path contains <inner>',
    'file.path glob <glob>',
    'file.path regex <pathregex>',
    'file.name in (<word>, <word>)',
    'file.name endswith <suffix>',
    'file.directory in (<folder>, <folder>)',
    'file.extension in (<extension>, <extension>)',
  ],
  connect: [
    'destination.ip cidr (<network>, <network>)',
    'destination.ip not cidr (<network>)',
    'destination.port in (<port>, <port>)',
    'destination.port > <port>',
    'network.unix.path startswith <folder>',
    'network.unix.path in (<path>, <path>)',
  ],
  accept: ['source.ip cidr (<network>)', 'destination.port in (<port>, <port>, <port>)', 'source.port < <port>'],
  rename: ['file.path pmatch (<folder>)', 'file.target_path endswith <file>', 'file.target_path startswith <folder>'],
  unlink: ['file.path startswith <folder>', 'file.path endswith <file>', 'file.name in (<word>, <word>)'],
  chmod: ['file.path startswith <folder>', 'file.mode >= <port>', 'file.path glob <glob>'],
  exit: ['process.exit_signal = 11', 'process.exit_code in (1, 2)', 'process.uptime < 2'],
};

/** Actions, weighted by repetition: most rules are about programs and files. */
const WEIGHTED_ACTIONS: readonly string[] = [
  ...Array(8).fill('exec'),
  ...Array(8).fill('open'),
  ...Array(3).fill('connect'),
  ...['accept', 'rename', 'unlink', 'chmod', 'exit'],
];

const ANYWHERE: readonly Part[] = [
  'process.name in (<name>, <name>)',
  'process.name != <name>',
  'process.name startswith <name>',
  'process.parent.name in (<name>, <name>)',
  'process.parent.name endswith <suffix>',
  'process.parent.executable startswith <folder>',
  'process.parent.command_line contains <phrase>',
  'process.executable not startswith (<folder>, <folder>)',
  'process.executable pmatch (<folder>)',
  'process.command_line contains <phrase>',
  'process.command_line startswith <phrase>',
  'process.ancestors.name in (<name>, <name>)',
  'process.ancestors.name[2] = <name>',
  'process.ancestors.name[3] startswith <name>',
  'process.ancestors.executable endswith <file>',
  'process.args = <flag>',
  'process.working_directory pmatch (<folder>)',
  'process.tty != 0',
  'process.exec.upper_layer',
  'process.stdin.network',
  'user.name in (<user>, <user>)',
  'user.id >= 1000',
  'user.effective.id = 0',
  'container.id exists',
  'container.image.repository in (<image>, <image>)',
  'container.image.name startswith <image>',
  'container.security_context.privileged',
  'orchestrator.namespace = <word>',
  'len(process.args) > 3',
  'tolower(process.name) contains <name>',
];

const LITERALS: Readonly<Record<string, readonly string[]>> = {
  folder:
    '/etc/cron.d /etc/ssh /root/.ssh /var/spool/cron /dev/shm /tmp/.X11-unix /var/tmp /boot /lib/modules /proc/sys/kernel /sys/fs/bpf /opt/agent /srv/www /var/lib/kubelet /run/secrets /usr/local/share /home/deploy'.split(
      ' ',
    ),
  program:
    '/usr/bin/nc /usr/bin/socat /usr/sbin/insmod /usr/bin/gdb /usr/bin/strace /usr/sbin/tcpdump /usr/bin/wget /usr/bin/nmap'.split(
      ' ',
    ),
  name: 'bash sh dash zsh nginx httpd java node postgres mysqld redis-server sshd sudo su cron runc containerd dockerd kubelet python3 perl ruby php-fpm tomcat systemd dpkg apt rpm yum curl wget nc ncat socat gdb nsenter unshare mount chattr'.split(
    ' ',
  ),
  file: '/authorized_keys /id_rsa /.bashrc /shadow /ld.so.preload /docker.sock /known_hosts /credentials /.netrc /crontab /core_pattern /release_agent /kubeconfig /token'.split(
    ' ',
  ),
  path: '/etc/shadow /etc/sudoers /etc/passwd /etc/ld.so.preload /etc/pam.d/sshd /root/.bash_history /run/docker.sock /proc/kcore /etc/hosts.allow /var/log/wtmp /var/log/auth.log'.split(
    ' ',
  ),
  flag: '--privileged -exec --no-check -nostdin --pid=host -lvp -e --user=0 --eval -n4'.split(' '),
  phrase: [
    'base64 -d',
    '/dev/tcp/',
    'chmod +s',
    'history -c',
    'curl -k',
    'stratum+tcp',
    'xmrig',
    'pty.spawn',
    'mkfifo',
    'iptables -F',
    'setenforce 0',
    'rm -rf /',
    'docker run',
  ],
  words: ['*curl*|*sh*', '*nc*-e*', '*openssl*s_client*', '*echo*>>*/etc/*', '*python*-c*socket*'],
  regex: ['curl[^|]*[|] *(ba)?sh', 'nc .*-e +/bin/', '[A-Za-z0-9+/]{60,}', '(wget|curl) .*[.]sh', 'perl .*socket'],
  pathregex: ['^/home/[^/]+/[.]ssh/', '^/proc/[0-9]+/mem$', '[.](conf|cfg)[.]bak$', '^/tmp/[.][a-z]+$'],
  glob: ['/home/*/.ssh/*', '/proc/*/environ', '/var/www/*.php', '/tmp/*.so', '/opt/*/bin/*'],
  inner: ['/.ssh/', '/.aws/', '/.kube/', 'secret', 'passwd', '..'],
  word: 'config secrets environ wallet shadow crontab backup master vault admin'.split(' '),
  suffix: '.php .jsp .pem .key .sock -worker d .sh'.split(' '),
  extension: 'pem key kdbx php jsp sh ko so'.split(' '),
  variable: 'LD_PRELOAD= LD_AUDIT= PYTHONPATH= BASH_ENV='.split(' '),
  network: '10.0.0.0/8 169.254.169.254/32 192.168.0.0/16 172.16.0.0/12 203.0.113.0/24 2001:db8::/32'.split(' '),
  port: '22 23 4444 1337 2375 6443 10250 9001 31337 3333'.split(' '),
  user: 'root nobody www-data postgres deploy daemon'.split(' '),
  image: 'registry.local/app docker.io/library/redis quay.io/team/worker ghcr.io/org/tool'.split(' '),
};

/** Returns a rule file in the native language with `count` rules. Deterministic. */
export function distinctRules(count: number): string {
  const random = seeded(20_261);
  const rules = new Map<string, string>();
  while (rules.size < count) {
    const structure = structureOf(random);
    if (rules.has(structure)) continue;
    const condition = structure.replaceAll(/<(\w+)>/g, (_, kind: string) => literalOf(kind, random));
    rules.set(structure, `- rule: distinct ${rules.size}\n  condition: ${JSON.stringify(condition)}\n`);
  }
  return [...rules.values()].join('');
}

/**
 * Draws an action, a comparison for that action, and one to three comparisons for any action. A third of the rules have
 * an exception, and a fifth have an alternative.
 */
function structureOf(random: Random): string {
  const action = pick(WEIGHTED_ACTIONS, random);
  const objectParts = ACTIONS[action] ?? [];
  const parts = [`event.action = ${action}`, pick(objectParts, random)];
  if (random(5) === 0) parts[1] = `(${parts[1]} or ${pick(objectParts, random)})`;
  for (let remaining = 1 + random(3); remaining > 0; remaining--) parts.push(pick(ANYWHERE, random));
  if (random(3) === 0) parts.push(`not (${pick(ANYWHERE, random)} and ${pick(ANYWHERE, random)})`);
  return parts.join(' and ');
}

/** Draws a literal: half of the literals are shared by many rules, half are nearly unique. */
function literalOf(kind: string, random: Random): string {
  const common = pick(LITERALS[kind] ?? [], random);
  const isShared = kind === 'port' || kind === 'network' || kind === 'regex' || kind === 'pathregex' || random(2) === 0;
  return `'${isShared ? common : `${common}${random(1000)}`}'`.replace(/^'(\d+)'$/, '$1');
}

const pick = (from: readonly string[], random: Random): string => from[random(from.length)] ?? '';

function seeded(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
}
