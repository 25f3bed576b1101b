import { O, type SyntheticProcess } from '@ringfence/synthetic';
import { LANE, records } from '@ringfence/wire';
import { type Scene, testContent } from './support.ts';

const {
  TAMPERING_AGENT_SIGNAL: SIGNALLED,
  TAMPERING_AGENT_EXIT: ENDED,
  TAMPERING_AGENT_ACCESS: ACCESSED,
  TAMPERING_LINK_DETACH: DETACHED,
  TAMPERING_SENSOR_REMOVED: REMOVED,
} = records.TamperingOperation;

testContent('defense-impairment.yaml', {
  'Security tool stopped': {
    as: 'error defense-impairment T1562.001',
    fires: {
      'systemctl stops the auditor': (s) => s.start('/usr/bin/systemctl stop auditd'),
      'by the name of its unit': (s) => s.start('/usr/bin/systemctl disable --now falco.service'),
      'pkill ends it': (s) => s.start('/usr/bin/pkill -9 rsyslogd'),
    },
    quiet: {
      'somebody writes about it': (s) => s.start('/usr/bin/echo stop auditd'),
      'log rotation': (s) => s.start('/usr/bin/systemctl kill -s HUP rsyslog.service'),
      'somebody looks': (s) => s.start('/usr/bin/systemctl status auditd'),
      'another service stops': (s) => s.start('/usr/bin/systemctl stop nginx'),
      'an upgrade restarts it': (s) => {
        const dpkg = s.start('/usr/bin/dpkg --configure auditd', s.start('/usr/bin/apt-get upgrade'));
        s.start('/usr/bin/systemctl stop auditd.service', s.start('/bin/sh prerm', dpkg));
      },
    },
  },
  'Firewall flushed': {
    as: 'warning defense-impairment T1562.004',
    fires: {
      'all rules': (s) => s.start('iptables -F', s.shell, {}, '/usr/sbin/xtables-nft-multi'),
      'the input chain': (s) => s.start('/usr/sbin/iptables --flush INPUT'),
      nftables: (s) => s.start('/usr/sbin/nft flush ruleset'),
    },
    quiet: {
      'Docker flushes its own chain': (s) =>
        s.start(
          'iptables --wait -t nat -F DOCKER',
          s.start('/usr/bin/dockerd', s.init),
          {},
          '/usr/sbin/xtables-nft-multi',
        ),
      'somebody lists them': (s) => s.start('/usr/sbin/iptables -L -n'),
      'the service of nftables stops': (s) => s.start('/usr/sbin/nft flush ruleset', s.init),
    },
  },
  'SELinux or AppArmor switched off': {
    as: 'error defense-impairment T1562.001',
    fires: {
      'setenforce 0': (s) => s.start('/usr/sbin/setenforce 0'),
      'aa-teardown, which is a script': (s) =>
        s.start('/bin/sh /usr/sbin/aa-teardown', s.shell, { filename: '/usr/sbin/aa-teardown' }, '/usr/bin/dash'),
      'by its file': (s) => s.open(s.shell, '/sys/fs/selinux/enforce', O.WRONLY),
    },
    quiet: {
      'setenforce 1': (s) => s.start('/usr/sbin/setenforce 1'),
      'somebody looks': (s) => s.open(s.start('/usr/sbin/getenforce'), '/sys/fs/selinux/enforce'),
      'a profile is loaded': (s) => s.start('/usr/sbin/apparmor_parser -r /etc/apparmor.d/x'),
    },
  },
  'Agent attacked': {
    as: 'error defense-impairment T1562.001',
    fires: {
      'killed, from a shell': (s) => s.event(s.shell, 'Tampering', { operation: SIGNALLED, detail: 9 }),
      stopped: (s) =>
        s.event(s.start('/usr/bin/pkill -STOP ringfence'), 'Tampering', { operation: SIGNALLED, detail: 19 }),
      'its debugger opened': (s) => s.event(s.shell, 'Tampering', { operation: SIGNALLED, detail: 10 }),
      traced: (s) =>
        s.event(s.start('/usr/bin/gdb -p 42'), 'Tampering', { operation: ACCESSED, detail: 1, request: 16 }),
      'a hook detached': (s) =>
        s.event(s.start('/usr/sbin/bpftool link detach id 7'), 'Tampering', { operation: DETACHED }),
      'by nobody who is known': (s) => s.event(nobody(s.shell), 'Tampering', { operation: REMOVED, count: 3 }),
    },
    quiet: {
      'the service manager lost patience': (s) => s.event(s.init, 'Tampering', { operation: SIGNALLED, detail: 9 }),
      'the runtime did': (s) =>
        s.event(s.start('/usr/bin/containerd-shim-runc-v2', s.init), 'Tampering', { operation: SIGNALLED, detail: 9 }),
      'it ended by itself': (s) => s.event(s.shell, 'Tampering', { operation: ENDED, detail: 1 }),
      'somebody tried in vain': (s) => s.event(s.shell, 'Tampering', { operation: ACCESSED, detail: 1, result: -1 }),
    },
  },
  'Agent fell silent': {
    as: 'warning defense-impairment T1562.001',
    fires: {
      'no tick came': (s) => s.event(nobody(s.shell), 'Silence', { operation: 1 }),
    },
    quiet: {
      'it ticks again': (s) => s.event(nobody(s.shell), 'Silence', { operation: 2 }),
      'it took its leave': (s) => s.tick(1, true),
    },
  },
  'Events were lost': {
    as: 'warning defense-impairment T1562.006',
    fires: {
      'executions and the like': (s) => lose(s, LANE.security),
    },
    quiet: {
      'files and packets': (s) => lose(s, LANE.bulk),
      'nothing is lost': (s) => lose(s, LANE.security, 0),
    },
  },
});

/** So many records never come, which is told two ticks later. */
function lose(scene: Scene, lane: number, count = 3): void {
  scene.drop(lane, count);
  scene.open(scene.start('/usr/bin/true'), '/tmp/a');
  for (let tick = 0; tick < 2; tick++) scene.tick();
}

/** No process. */
const nobody = (like: SyntheticProcess): SyntheticProcess => Object.create(like, { tgid: { value: 0 } });
