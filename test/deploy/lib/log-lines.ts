/** A line as its program writes it, and the fields that deploy/logstash makes of it, without those that all have. */
export interface LogSample {
  readonly title: string;
  readonly logType: string;
  readonly path?: string;
  readonly line: string;
  readonly expected: Readonly<Record<string, unknown>>;
}

const CONTAINER = '4c5b1f0e'.repeat(8);
const SSHD = { 'log.syslog.hostname': 'web-1', 'log.syslog.appname': 'sshd', 'log.syslog.procid': '812' };
const SSH_LOGIN = { 'event.action': 'ssh-login', 'source.ip': '203.0.113.9', 'source.port': 40_122 };
const GET = { 'http.request.method': 'GET', 'http.version': '1.1' };

const systemLines: readonly LogSample[] = [
  {
    title: 'sshd in auth.log',
    logType: 'syslog',
    line: 'Nov  5 15:55:07 web-1 sshd[812]: Accepted publickey for deploy from 203.0.113.9 port 40122 ssh2: ED25519 SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU',
    expected: {
      ...SSHD,
      ...SSH_LOGIN,
      'event.outcome': 'success',
      'user.name': 'deploy',
      'ringfence.ssh.method': 'publickey',
      'ringfence.ssh.fingerprint': 'SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU',
    },
  },
  {
    title: 'sshd, with a user that the client chose to look like an address',
    logType: 'syslog',
    line: 'Nov 25 15:55:07 web-1 sshd[812]: Failed password for invalid user a from 192.0.2.1 port 1 ssh2 from 203.0.113.9 port 40122 ssh2',
    expected: {
      ...SSHD,
      ...SSH_LOGIN,
      'event.outcome': 'failure',
      'user.name': 'a from 192.0.2.1 port 1 ssh2',
      'ringfence.ssh.method': 'password',
    },
  },
  {
    title: 'sudo in auth.log with the time of Debian 12',
    logType: 'syslog',
    line: '2026-11-25T15:55:07.123456+00:00 web-1 sudo:    alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/usr/bin/cat /etc/shadow',
    expected: {
      'log.syslog.hostname': 'web-1',
      'log.syslog.appname': 'sudo',
      'event.action': 'sudo',
      'event.outcome': 'success',
      'user.name': 'alice',
      'user.target.name': 'root',
      'ringfence.log.tty': 'pts/0',
      'process.working_directory': '/home/alice',
      'process.command_line': '/usr/bin/cat /etc/shadow',
    },
  },
  {
    title: 'sudo that refuses',
    logType: 'syslog',
    line: 'Nov 25 15:55:07 web-1 sudo:      bob : user NOT in sudoers ; TTY=pts/1 ; PWD=/home/bob ; USER=root ; COMMAND=/bin/sh',
    expected: {
      'log.syslog.hostname': 'web-1',
      'log.syslog.appname': 'sudo',
      'event.action': 'sudo',
      'event.outcome': 'failure',
      'event.reason': 'user NOT in sudoers',
      'user.name': 'bob',
      'user.target.name': 'root',
      'ringfence.log.tty': 'pts/1',
      'process.working_directory': '/home/bob',
      'process.command_line': '/bin/sh',
    },
  },
  {
    title: 'the kernel in RFC 3164 with a priority',
    logType: 'syslog',
    line: '<3>Nov 25 15:55:07 web-1 kernel: [12345.678901] Out of memory: Killed process 812 (java)',
    expected: { 'log.syslog.priority': 3, 'log.syslog.hostname': 'web-1', 'log.syslog.appname': 'kernel' },
  },
  {
    title: 'sshd in the journal, as journalctl -o json writes it',
    logType: 'journald',
    line: '{"__REALTIME_TIMESTAMP":"1795622107123456","_BOOT_ID":"8e1d3c5f0a7b4e2d9c6f1a2b3c4d5e6f","PRIORITY":"6","SYSLOG_IDENTIFIER":"sshd","_PID":"812","_COMM":"sshd","_EXE":"/usr/sbin/sshd","_CMDLINE":"sshd: root [priv]","_SYSTEMD_UNIT":"ssh.service","MESSAGE":"Accepted password for root from 203.0.113.9 port 40122 ssh2"}',
    expected: {
      ...SSH_LOGIN,
      message: 'Accepted password for root from 203.0.113.9 port 40122 ssh2',
      'event.outcome': 'success',
      'host.boot.id': '8e1d3c5f0a7b4e2d9c6f1a2b3c4d5e6f',
      'labels.unit': 'ssh.service',
      'log.syslog.appname': 'sshd',
      'log.syslog.severity.code': 6,
      'process.pid': 812,
      'process.name': 'sshd',
      'process.executable': '/usr/sbin/sshd',
      'process.command_line': 'sshd: root [priv]',
      'user.name': 'root',
      'ringfence.ssh.method': 'password',
    },
  },
  {
    title: 'a login that auditd saw',
    logType: 'auditd',
    line: `type=USER_LOGIN msg=audit(1795622107.123:456): pid=812 uid=0 auid=4294967295 ses=4294967295 msg='op=login acct="root" exe="/usr/sbin/sshd" hostname=203.0.113.9 addr=203.0.113.9 terminal=ssh res=failed'`,
    expected: {
      'event.action': 'USER_LOGIN',
      'event.sequence': 456,
      'event.outcome': 'failure',
      'process.pid': 812,
      'process.executable': '/usr/sbin/sshd',
      'source.ip': '203.0.113.9',
      'user.id': '0',
      'user.target.name': 'root',
    },
  },
  {
    title: 'an execution that auditd saw',
    logType: 'auditd',
    line: 'type=SYSCALL msg=audit(1795622107.123:457): arch=c000003e syscall=59 success=yes exit=0 a0=55 items=2 ppid=811 pid=812 auid=1000 uid=1000 gid=1000 comm="cat" exe="/usr/bin/cat" key="exec"',
    expected: {
      'event.action': 'SYSCALL',
      'event.sequence': 457,
      'event.outcome': 'success',
      'process.pid': 812,
      'process.parent.pid': 811,
      'process.name': 'cat',
      'process.executable': '/usr/bin/cat',
      'user.id': '1000',
    },
  },
];

const serverLines: readonly LogSample[] = [
  {
    title: 'nginx access',
    logType: 'nginx.access',
    line: '203.0.113.9 - - [25/Nov/2026:15:55:07 +0000] "GET /item?id=1%27 HTTP/1.1" 404 153 "-" "curl/8.5.0"',
    expected: {
      ...GET,
      'http.response.status_code': 404,
      'http.response.body.bytes': 153,
      'source.ip': '203.0.113.9',
      'url.original': '/item?id=1%27',
      'user_agent.original': 'curl/8.5.0',
    },
  },
  {
    title: 'nginx access, with a request that is not HTTP',
    logType: 'nginx.access',
    line: '203.0.113.9 - - [25/Nov/2026:15:55:07 +0000] "\\x16\\x03\\x01\\x02" 400 157 "-" "-"',
    expected: {
      'http.response.status_code': 400,
      'http.response.body.bytes': 157,
      'source.ip': '203.0.113.9',
    },
  },
  {
    title: 'nginx error',
    logType: 'nginx.error',
    line: '2026/11/25 15:55:07 [error] 812#813: *17 open() "/srv/www/x" failed (2: No such file or directory), client: 203.0.113.9, server: shop.example.org, request: "GET /x HTTP/1.1", host: "shop.example.org"',
    expected: {
      ...GET,
      'error.message': 'open() "/srv/www/x" failed (2: No such file or directory)',
      'log.level': 'error',
      'process.pid': 812,
      'process.thread.id': 813,
      'source.ip': '203.0.113.9',
      'url.original': '/x',
    },
  },
  {
    title: 'Apache combined, with a quote in the agent',
    logType: 'apache.access',
    line: 'client.example.org - frank [25/Nov/2026:15:55:07 +0100] "GET / HTTP/1.1" 200 - "https://example.org/" "Mozilla \\"5.0\\""',
    expected: {
      ...GET,
      'http.request.referrer': 'https://example.org/',
      'http.response.status_code': 200,
      'source.domain': 'client.example.org',
      'url.original': '/',
      'user.name': 'frank',
      'user_agent.original': 'Mozilla \\"5.0\\"',
    },
  },
  {
    title: 'HAProxy through syslog',
    logType: 'syslog',
    line: 'Nov 25 15:55:07 lb-1 haproxy[14389]: 203.0.113.9:33317 [25/Nov/2026:15:55:07.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html HTTP/1.1"',
    expected: {
      ...GET,
      'http.response.status_code': 200,
      'http.response.bytes': 2750,
      'labels.frontend': 'http-in',
      'labels.backend': 'static',
      'labels.server': 'srv1',
      'labels.termination': '----',
      'log.syslog.hostname': 'lb-1',
      'log.syslog.appname': 'haproxy',
      'log.syslog.procid': '14389',
      'source.ip': '203.0.113.9',
      'source.port': 33_317,
      'url.original': '/index.html',
    },
  },
  {
    title: 'PostgreSQL',
    logType: 'postgresql',
    line: '2026-11-25 15:55:07.123 UTC [812] shop@orders FATAL:  password authentication failed for user "shop"',
    expected: {
      'error.message': 'password authentication failed for user "shop"',
      'labels.database': 'orders',
      'log.level': 'FATAL',
      'process.pid': 812,
      'user.name': 'shop',
    },
  },
  {
    title: 'the error log of MySQL',
    logType: 'mysql.error',
    line: "2026-11-25T15:55:07.123456Z 8 [Warning] [MY-010055] [Server] IP address '203.0.113.9' could not be resolved: Name or service not known",
    expected: {
      'error.code': 'MY-010055',
      'error.message': "IP address '203.0.113.9' could not be resolved: Name or service not known",
      'log.level': 'Warning',
      'log.logger': 'Server',
      'process.thread.id': 8,
    },
  },
];

const applicationLines: readonly LogSample[] = [
  {
    title: 'a container in the json-file of Docker',
    logType: 'docker',
    path: `/var/lib/docker/containers/${CONTAINER}/${CONTAINER}-json.log`,
    line: '{"log":"listening on :8080\\n","stream":"stderr","time":"2026-11-25T15:55:07.123456789Z"}',
    expected: { message: 'listening on :8080', 'container.id': CONTAINER, 'labels.stream': 'stderr' },
  },
  {
    title: 'an application with ECS logging',
    logType: 'json',
    line: '{"@timestamp":"2026-11-25T15:55:07.123Z","log.level":"WARN","message":"slow query","log.logger":"db","trace.id":"4bf92f3577b34da6"}',
    expected: { message: 'slow query', 'log.level': 'WARN', 'log.logger': 'db', 'trace.id': '4bf92f3577b34da6' },
  },
  {
    title: 'an application with pino',
    logType: 'json',
    line: '{"level":40,"time":1795622107123,"pid":812,"hostname":"web-1","msg":"slow query"}',
    expected: { message: 'slow query', 'log.level': '40', 'process.pid': 812 },
  },
];

export const logSamples: readonly LogSample[] = [...systemLines, ...serverLines, ...applicationLines];
