import { O } from '@ringfence/synthetic';
import { type Scene, testContent } from './support.ts';

const WRITE = O.WRONLY | O.CREAT | O.TRUNC;

const started = (words: string) => (s: Scene) => s.start(words);
const byShell =
  (path: string, flags: number = WRITE) =>
  (s: Scene) =>
    s.open(s.start('/bin/bash'), path, flags);
const byDpkg = (path: string) => (s: Scene) => s.open(s.start('/usr/bin/dpkg --unpack x'), path, WRITE);
const removed = (by: string, path: string) => (s: Scene) => s.change(s.start(by), 'UNLINK', path);
const set = (name: string, before: string, after: string) => (s: Scene) =>
  s.event(s.start('/usr/sbin/sysctl -w x'), 'Sysctl', { name, before, after });
/** By a script, whose own name the shell hides. */
const script = (words: string, filename: string) => (s: Scene) =>
  s.start(`/bin/sh ${filename} ${words}`, s.shell, { filename }, '/usr/bin/dash');

testContent('logs.yaml', {
  'Log file removed': {
    as: 'error stealth T1070.002',
    fires: {
      'by rm': removed('/usr/bin/rm x', '/var/log/auth.log'),
      'moved away': (s) => s.change(s.start('/usr/bin/mv x y'), 'RENAME', '/var/log/wtmp', { target: '/tmp/w' }),
    },
    quiet: {
      'an old one': removed('/usr/bin/rm x', '/var/log/auth.log.4.gz'),
      logrotate: (s) =>
        s.change(s.start('/usr/sbin/logrotate x'), 'RENAME', '/var/log/syslog', { target: '/var/log/syslog.1' }),
      savelog: (s) =>
        s.change(
          s.start(
            'mv x y',
            s.start('/bin/sh /usr/bin/savelog -n /var/log/syslog', s.shell, {}, '/usr/bin/dash'),
            {},
            '/usr/bin/mv',
          ),
          'RENAME',
          '/var/log/syslog',
          { target: '/var/log/syslog.0' },
        ),
      'a log of an application': removed('/usr/bin/rm x', '/var/log/app.log'),
    },
  },
  'Journal removed by hand': {
    as: 'error stealth T1070.002',
    fires: { 'by rm': started('/usr/bin/rm -rf /var/log/journal/abc') },
    quiet: {
      'its size is asked': started('/usr/bin/du -sh /var/log/journal'),
      'another log': started('/usr/bin/rm /var/log/app.log'),
    },
  },
  'Journal shortened': {
    as: 'notice stealth T1070.002',
    fires: { 'to a second': started('/usr/bin/journalctl --vacuum-time=1s') },
    quiet: {
      'it is read': started('/usr/bin/journalctl -u ssh'),
      'its size': started('/usr/bin/journalctl --disk-usage'),
    },
  },
  'Record of logins edited': {
    as: 'error stealth T1070.002',
    fires: {
      'by an interpreter': (s) => s.open(s.start('/usr/bin/python3 x.py'), '/var/log/wtmp', O.RDWR),
      'by a program of an intruder': (s) => s.open(s.start('/tmp/zap'), '/run/utmp', O.RDWR),
    },
    quiet: {
      'login adds to it': (s) => s.open(s.start('/usr/bin/login'), '/var/log/wtmp', O.WRONLY | O.APPEND),
      'last reads it': (s) => s.open(s.start('/usr/bin/last'), '/var/log/wtmp'),
    },
  },
  'Kernel log cleared': {
    as: 'warning stealth T1070.002',
    fires: { 'by dmesg': started('/usr/bin/dmesg -C') },
    quiet: { 'it is read': started('/usr/bin/dmesg -T'), 'another option': started('/usr/bin/dmesg --color=never') },
  },
  'Audit rules removed': {
    as: 'error defense-impairment T1562.012',
    fires: { all: started('/usr/sbin/auditctl -D'), 'switched off': started('/usr/sbin/auditctl -e 0') },
    quiet: {
      'the rules are loaded': (s) => s.start('/usr/sbin/auditctl -D', s.start('/usr/sbin/augenrules --load')),
      'they are listed': started('/usr/sbin/auditctl -l'),
    },
  },
  'Configuration of a security tool written': {
    as: 'notice defense-impairment T1562.001',
    fires: {
      'what is logged': byShell('/etc/rsyslog.d/50-default.conf'),
      'what is watched': byShell('/etc/falco/falco.yaml'),
    },
    quiet: {
      'a package brings it': byDpkg('/etc/audit/auditd.conf.dpkg-new'),
      'another file': byShell('/etc/logrotate.d/app'),
    },
  },
  'Security tool stopped by its start-up script': {
    as: 'error defense-impairment T1562.001',
    fires: { 'by service': script('auditd stop', '/usr/sbin/service') },
    quiet: {
      'another service': script('nginx stop', '/usr/sbin/service'),
      'it is restarted': script('rsyslog restart', '/usr/sbin/service'),
    },
  },
  'Firewall opened': {
    as: 'warning defense-impairment T1562.004',
    fires: {
      iptables: (s) => s.start('iptables -P INPUT ACCEPT', s.shell, {}, '/usr/sbin/xtables-nft-multi'),
      ufw: (s) =>
        s.start(
          '/usr/bin/python3 /usr/sbin/ufw disable',
          s.shell,
          { filename: '/usr/sbin/ufw' },
          '/usr/bin/python3.11',
        ),
    },
    quiet: {
      'a port is opened': (s) =>
        s.start('iptables -A INPUT -p tcp --dport 443 -j ACCEPT', s.shell, {}, '/usr/sbin/xtables-nft-multi'),
      'by its service': (s) => s.start('iptables -P INPUT ACCEPT', s.init, {}, '/usr/sbin/xtables-nft-multi'),
      'it is switched on': (s) =>
        s.start('/usr/bin/python3 /usr/sbin/ufw enable', s.shell, { filename: '/usr/sbin/ufw' }, '/usr/bin/python3.11'),
    },
  },
  'Protection of the kernel switched off': {
    as: 'warning defense-impairment T1562.001',
    fires: { 'random addresses': set('kernel/randomize_va_space', '2', '0') },
    quiet: {
      'it is switched on': set('kernel/yama/ptrace_scope', '0', '1'),
      'it was off': set('kernel/kptr_restrict', '0', '0'),
      'another setting': set('vm/swappiness', '60', '0'),
    },
  },
  'Certificate authority added': {
    as: 'notice defense-impairment T1553.004',
    fires: { 'by a shell': byShell('/usr/local/share/ca-certificates/x.crt') },
    quiet: {
      'a package brings it': byDpkg('/usr/local/share/ca-certificates/x.crt'),
      'a certificate of a server': byShell('/etc/nginx/tls/x.crt'),
    },
  },
  'Package installed without a look at its signature': {
    as: 'notice defense-impairment T1553',
    fires: {
      apt: started('/usr/bin/apt-get install -y --allow-unauthenticated x'),
      rpm: started('/usr/bin/rpm -i --nosignature x.rpm'),
    },
    quiet: { apt: started('/usr/bin/apt-get install -y x'), rpm: started('/usr/bin/rpm -qa') },
  },
  'Broken ciphers allowed again': {
    as: 'notice defense-impairment T1689',
    fires: {
      'all that were': script('--set LEGACY', '/usr/bin/update-crypto-policies'),
      'for one purpose': script('--set LEGACY:AD-SUPPORT', '/usr/bin/update-crypto-policies'),
    },
    quiet: {
      'it is asked': script('--show', '/usr/bin/update-crypto-policies'),
      'the default': script('--set DEFAULT', '/usr/bin/update-crypto-policies'),
      'a policy of the like name': script('--set LEGACYFREE', '/usr/bin/update-crypto-policies'),
    },
  },
});
