import { either, type LogSource, type Mappings } from './taxonomy.ts';

/** Fields of log lines. */
const logFields: Mappings = {
  message: 'message',
  User: 'user.name',
  user: 'user.name',
  user_name: 'user.name',
  USER: 'user.target.name',
  COMMAND: 'process.command_line',
  PWD: 'process.working_directory',
  TTY: 'ringfence.log.tty',
  client_ip: 'source.ip',
  src_ip: 'source.ip',
  SourceIp: 'source.ip',
  program: 'log.syslog.appname',
  process: 'log.syslog.appname',
  deviceProcessName: 'log.syslog.appname',
  pid: 'log.syslog.procid',
  host: 'host.id',
  hostname: 'host.id',
  ComputerName: 'host.id',
  timestamp: '@timestamp',
};

function log(events: string): LogSource {
  return { events, fields: logFields, text: [{ field: 'message' }], shown: ['message', 'log.file.path'] };
}

const of = (...programs: string[]): string => `log.syslog.appname in (${programs.join(', ')})`;
const inFile = (part: string): string => `log.file.path icontains ${part}`;
const SSHD = ['sshd', 'sshd-session', 'sshd-auth'];
const ACCOUNTS = ['useradd', 'usermod', 'userdel', 'groupadd', 'groupmod', 'groupdel', 'passwd', 'chpasswd', 'gpasswd'];

/** Services whose logs are read line by line, by name. */
export const logServices: Readonly<Record<string, LogSource>> = {
  sshd: log(of(...SSHD)),
  sudo: log(of('sudo')),
  cron: log(either([of('cron', 'CRON', 'crond', 'CROND', 'crontab', 'anacron', 'atd'), inFile('/cron')])),
  auth: log(
    either([
      of(...SSHD, ...ACCOUNTS, 'sudo', 'su', 'login', 'systemd-logind', 'polkitd', 'pkexec'),
      inFile('/auth.log'),
      inFile('/secure'),
    ]),
  ),
  syslog: log('message exists'),
  vsftpd: log(either([of('vsftpd'), inFile('/vsftpd')])),
  clamav: log(either([of('clamd', 'clamscan', 'clamonacc', 'freshclam'), inFile('/clam')])),
  guacamole: log(either([of('guacd', 'guacamole'), inFile('/guac')])),
  modsecurity: log(either([inFile('modsec'), 'message contains ModSecurity'])),
  apache: log(either([of('apache2', 'httpd'), inFile('/apache2'), inFile('/httpd')])),
  nginx: log(either([of('nginx'), inFile('/nginx')])),
};

/** Source of rules with only `product: linux`: lines of any log, and command lines, which those logs often contain. */
export const anyLog: LogSource = {
  events: either(['message exists', 'event.action = exec', 'event.action = shell_line']),
  fields: {
    ...logFields,
    Image: 'process.executable',
    CommandLine: 'process.command_line',
    ParentImage: 'process.parent.executable',
    ParentCommandLine: 'process.parent.command_line',
  },
  text: [
    { field: 'message' },
    { field: 'process.command_line', when: 'event.action = exec' },
    { field: 'ringfence.shell.line' },
  ],
  shown: ['message', 'process.command_line', 'ringfence.shell.line', 'user.name'],
};
