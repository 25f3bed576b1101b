import { testContent } from './support.ts';

const SH = '/usr/bin/dash';

testContent('initial-access.yaml', {
  'Shell started by a network server': {
    as: 'error initial-access T1190',
    fires: {
      'a web server starts sh': (s) => s.start(['sh', '-c', 'id'], s.start('/usr/sbin/apache2', s.init), {}, SH),
      'PHP starts sh': (s) => s.start(['sh', '-c', 'ls'], s.start('/usr/sbin/php-fpm8.2', s.init), {}, SH),
      'postgres starts a program for a query': (s) =>
        s.start(['sh', '-c', 'curl u | sh'], s.start('/usr/lib/postgresql/16/bin/postgres', s.init), {}, SH),
      "busybox's sh": (s) =>
        s.start(['sh', '-c', 'id'], s.start('/usr/sbin/nginx', s.startContainer()), {}, '/bin/busybox'),
      'mail options that start something else': (s) =>
        s.start(['sh', '-c', '/usr/sbin/sendmail -t; id'], s.start('/usr/sbin/php-fpm8.2', s.init), {}, SH),
    },
    quiet: {
      'postgres archives its log': (s) =>
        s.start(
          ['sh', '-c', 'cp pg_wal/0001 /arch/0001'],
          s.start('/usr/lib/postgresql/16/bin/postgres', s.init),
          {},
          SH,
        ),
      'PHP sends mail': (s) =>
        s.start(['sh', '-c', '/usr/sbin/sendmail -t -i'], s.start('/usr/sbin/php-fpm8.2', s.init), {}, SH),
      'a shell starts a web server': (s) => s.start('/usr/sbin/nginx', s.start('/bin/sh /start', s.inside)),
      'npm runs a script': (s) => s.start(['sh', '-c', 'tsc'], s.start('/usr/bin/node /usr/bin/npm run b'), {}, SH),
      'a web server starts a worker': (s) => s.start('/usr/sbin/apache2', s.start('/usr/sbin/apache2', s.init)),
    },
  },
  'Shell started by an application in a container': {
    as: 'warning initial-access T1190',
    fires: {
      'Java starts sh': (s) => s.start(['/bin/sh', '-c', 'id'], s.start('/usr/bin/java -jar shop.jar', s.inside)),
      'Node starts sh': (s) => s.start(['/bin/sh', '-c', 'ls'], s.start('/usr/local/bin/node server.js', s.inside)),
    },
    quiet: {
      'an entry point does': (s) => s.start(['/bin/sh', '-c', 'migrate'], s.inside),
      'in a build': (s) =>
        s.start(['/bin/sh', '-c', 'make'], s.start('/usr/bin/node b.js', s.startContainer({ image: 'moby/buildkit' }))),
      'npm starts sh': (s) =>
        s.start(
          ['sh', '-c', 'node .'],
          s.start('/usr/local/bin/node /usr/local/bin/npm start', s.inside),
          {},
          '/bin/dash',
        ),
      'a Jenkins agent starts sh': (s) =>
        s.start(['sh', '-c', 'make'], s.start('/usr/bin/java -jar /jenkins/agent.jar', s.inside), {}, '/bin/dash'),
      'Java starts a program': (s) => s.start('/usr/bin/convert a b', s.start('/usr/bin/java -jar shop.jar', s.inside)),
      'on a host': (s) => s.start(['/bin/sh', '-c', 'id'], s.start('/usr/bin/java -jar shop.jar', s.init)),
    },
  },
  'Interpreter started by a network server in a container': {
    as: 'error initial-access T1190',
    fires: {
      'a web server starts Python with code': (s) =>
        s.start(
          ['python3', '-c', 'import os'],
          s.start('/usr/sbin/nginx', s.startContainer()),
          {},
          '/usr/bin/python3.11',
        ),
    },
    quiet: {
      'a web server starts its log program': (s) =>
        s.start('/usr/bin/rotatelogs -c /var/log/x', s.start('/usr/sbin/httpd', s.startContainer())),
      'a web server starts a CGI script': (s) =>
        s.start('/usr/bin/perl /cgi/form.pl', s.start('/usr/sbin/apache2', s.startContainer()), {}, '/usr/bin/perl'),
      'the entry point of the container does': (s) => s.start(['python3', '-c', 'x'], s.inside, {}, '/usr/bin/python3'),
      'on a host': (s) => s.start(['perl', '-e', '1'], s.start('/usr/sbin/apache2', s.init), {}, '/usr/bin/perl'),
    },
  },
  'Root login over SSH with a password': {
    as: 'warning initial-access T1078.003',
    fires: {
      'by password': (s) => s.log('sshd[812]: Accepted password for root from 203.0.113.9 port 40122 ssh2'),
      'by what PAM asks': (s) =>
        s.log('sshd-session[812]: Accepted keyboard-interactive/pam for root from 203.0.113.9 port 40122 ssh2'),
    },
    quiet: {
      'by key': (s) =>
        s.log('sshd[812]: Accepted publickey for root from 203.0.113.9 port 40122 ssh2: ED25519 SHA256:x'),
      'somebody else': (s) => s.log('sshd[812]: Accepted password for ann from 203.0.113.9 port 40122 ssh2'),
      'in vain': (s) => s.log('sshd[812]: Failed password for root from 203.0.113.9 port 40122 ssh2'),
      'a name that looks like it': (s) =>
        s.log(
          'sshd[812]: Failed password for invalid user x Accepted password for root from 203.0.113.9 port 40122 ssh2',
        ),
      'another program says so': (s) => s.log('app[812]: Accepted password for root from 203.0.113.9 port 40122 ssh2'),
    },
  },
});
