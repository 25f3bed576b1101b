import { O } from '@ringfence/synthetic';
import { EXEC, testContent, underWebServer } from './support.ts';

const EMPTY = O.WRONLY | O.CREAT | O.TRUNC;
const APPEND = O.WRONLY | O.APPEND;

const TRACEME = { operation: 1, request: 0 };

testContent('stealth.yaml', {
  'Log files cleared': {
    as: 'error stealth T1070.002',
    fires: {
      'a shell empties the log of logins': (s) => s.open(s.start('/bin/sh -c x'), '/var/log/auth.log', EMPTY),
      'a program that calls itself logrotate': (s) => s.open(s.start('/tmp/logrotate'), '/var/log/wtmp', EMPTY),
    },
    quiet: {
      'a log of that name elsewhere': (s) => s.open(s.start('/bin/sh -c x'), '/srv/test/auth.log', EMPTY),
      'logrotate makes a new one': (s) => s.open(s.start('/usr/sbin/logrotate x', s.init), '/var/log/wtmp', EMPTY),
      'rsyslogd appends': (s) => s.open(s.start('/usr/sbin/rsyslogd', s.init), '/var/log/auth.log', APPEND),
      'login adds a record': (s) => s.open(s.start('/usr/bin/login'), '/var/log/wtmp', O.WRONLY),
      'an application begins its log anew': (s) => s.open(s.start('/app/server'), '/var/log/app/server.log', EMPTY),
    },
  },
  'Shell history cleared': {
    as: 'warning stealth T1070.003',
    fires: {
      'cp empties it': (s) => s.open(s.start('/usr/bin/cp /dev/null x'), '/root/.bash_history', EMPTY),
      'rm removes it': (s) => s.start('/usr/bin/rm -f /root/.bash_history'),
      'it becomes a link to nowhere': (s) => s.start('/usr/bin/ln -sf /dev/null /root/.bash_history'),
      'a shell is started without one': (s) => s.start('/usr/bin/env HISTFILE=/dev/null bash'),
    },
    quiet: {
      'bash shortens it': (s) => s.open(s.shell, '/root/.bash_history', EMPTY),
      'bash appends to it': (s) => s.open(s.shell, '/root/.bash_history', APPEND),
      'somebody searches in it': (s) => s.start('/usr/bin/grep ssh /root/.bash_history'),
    },
  },
  'Shell history switched off': {
    as: 'warning stealth T1070.003',
    fires: {
      'it is emptied': (s) => s.shellLine(s.shell, 'history -c'),
      'in the middle of a line': (s) => s.shellLine(s.shell, 'cd /tmp; unset HISTFILE && ./x'),
      'it goes nowhere': (s) => s.shellLine(s.shell, ' export HISTFILE=/dev/null'),
      'it is as long as nothing': (s) => s.shellLine(s.shell, 'HISTSIZE=0'),
      'it is not kept from here on': (s) => s.shellLine(s.shell, 'set +o history'),
    },
    quiet: {
      'it is shown': (s) => s.shellLine(s.shell, 'history | grep ssh'),
      'it is longer': (s) => s.shellLine(s.shell, 'HISTSIZE=100000 HISTFILESIZE=200000'),
      'somebody looks for who did': (s) => s.shellLine(s.shell, "grep -r 'unset HISTFILE' /home"),
      'it goes elsewhere': (s) => s.shellLine(s.shell, 'HISTFILE=~/.history-of-work'),
    },
  },
  'Hidden executable': {
    as: 'warning stealth T1564.001',
    fires: {
      'its name starts with a dot': (s) => s.start('/tmp/.x', s.inside),
      'its folder does': (s) => s.start('/dev/shm/.cache/kworker'),
    },
    quiet: {
      'a program in a virtual environment': (s) => s.start('/home/ann/app/.venv/bin/python'),
      'a program that Nix wraps': (s) => s.start('/nix/store/abc-firefox/bin/.firefox-wrapped'),
      'an AppImage': (s) => s.start('/tmp/.mount_abc/usr/bin/editor'),
      'from memory, which has its own rule': (s) => s.start('.x', s.shell, { flags: EXEC.memfd }, '/.x'),
    },
  },
  'Process that looks like a kernel thread': {
    as: 'error stealth T1036.011',
    fires: { 'it calls itself kworker': (s) => s.start(['[kworker/0:1]'], s.shell, {}, '/tmp/x') },
    quiet: {
      'the program [': (s) => s.start('/usr/bin/[ -f /etc/hosts ]', s.shell, {}, '/usr/bin/['),
      '[ called by its name alone': (s) => s.start('[ -f x ]', s.shell, {}, '/usr/bin/['),
      'a kernel thread': (s) => s.snapshot(s.fork(s.init), '', { argv: ['[kthreadd]'], filename: 'kthreadd' }),
      'a program with brackets in its arguments': (s) => s.start('/usr/bin/jq .[0]'),
    },
  },
  'Kernel hides something': {
    as: 'critical stealth T1014',
    fires: {
      'a system call leads elsewhere': (s) => s.finding('syscall-dispatch', '__x64_sys_getdents64'),
      'a module is not listed': (s) => s.finding('hidden-module', 'x'),
      'a process is not listed': (s) => s.finding('hidden-process', 'process 4711'),
    },
    quiet: {
      'a BPF program that nobody has named': (s) => s.finding('bpf-program', 'trace (12)'),
      'a driver from outside of the tree': (s) => s.finding('taint', 'bit 12'),
    },
  },
  'Code put into another process': {
    as: 'error stealth privilege-escalation T1055.008',
    fires: {
      'a tracer writes code': (s) => s.access(s.start('/tmp/inject 1'), s.sshd, { request: 4 }),
      'a tracer in a container changes registers': (s) =>
        s.access(s.start('/app/x', s.inside), s.inside, { request: 13 }),
      'memory is written at once': (s) => s.access(s.start('/opt/x'), s.sshd, { operation: 3, request: 0, result: 64 }),
      'a debugger that was brought along': (s) => s.access(s.start('/tmp/gdb'), s.sshd, { request: 5 }),
    },
    quiet: {
      'a debugger sets a breakpoint': (s) => s.access(s.start('/usr/bin/gdb -p 1'), s.sshd, { request: 4 }),
      'strace takes hold': (s) => s.access(s.start('/usr/bin/strace -p 1'), s.sshd, { request: 0x4206 }),
      'it is refused': (s) => s.access(s.start('/tmp/inject 1'), s.sshd, { request: 4, result: -1 }),
      'memory is only read': (s) => s.access(s.start('/opt/x'), s.sshd, { operation: 2, request: 0, result: 64 }),
    },
  },
  "Image built by a server's command": {
    as: 'error stealth T1612',
    fires: {
      docker: (s) => s.start('/usr/bin/docker build -t x /tmp/x', ...underWebServer(s)),
    },
    quiet: {
      'a developer': (s) => s.start('/usr/bin/docker build .'),
      'they are listed': (s) => s.start('/usr/bin/docker images', ...underWebServer(s)),
    },
  },
  'Program that wants no debugger': {
    as: 'notice stealth discovery T1622',
    fires: {
      'in a scratch folder': (s) => s.access(s.start('/tmp/x'), s.shell, TRACEME),
    },
    quiet: {
      'strace starts a program': (s) => s.access(s.fork(s.start('/usr/bin/strace ls')), s.shell, TRACEME),
      'gdb starts it': (s) => s.access(s.start('/home/ann/a.out', s.start('/usr/bin/gdb a.out')), s.shell, TRACEME),
    },
  },
  'Shell that keeps no history': {
    as: 'notice defense-impairment T1690',
    fires: {
      'to nowhere': (s) => s.start('/bin/bash -i', s.shell, { environment: ['HISTFILE=/dev/null'] }),
      'none at all': (s) => s.start('/bin/bash', s.shell, { environment: ['HISTSIZE=0'] }),
    },
    quiet: {
      'another file': (s) => s.start('/bin/bash', s.shell, { environment: ['HISTFILE=/home/ann/.history'] }),
      'a program that is no shell': (s) => s.start('/usr/bin/less x', s.shell, { environment: ['HISTSIZE=0'] }),
    },
  },
});
