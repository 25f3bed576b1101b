import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { catalogue, eventKinds } from '@ringfence/fields';
import type { EventView } from '@ringfence/wire';
import { compileRules, type RuleSet } from '../../src/rule-set.ts';
import { compileStable, missing, noOthers, otherFiles, stableRules } from './yardstick.ts';

describe("Falco's stable rules", { skip: missing }, () => {
  test('load unchanged, without a diagnostic', () => {
    const { rules, diagnostics } = compileStable();
    assert.equal(rules.length, 25);
    assert.deepEqual(
      diagnostics.map(({ severity, code, item, message }) => [severity, code, item, message.split(':')[0]]),
      [],
    );
    assert.ok(rules.every(({ kinds }) => kinds.length > 0));
    for (const { name, techniques, tactics, priority } of rules) {
      assert.ok(tactics.length > 0, name);
      assert.ok(techniques.length > 0 || /Module|Drop/.test(name), name);
      assert.ok(['critical', 'warning', 'notice', 'informational'].includes(priority), name);
    }
  });

  test('ask only for the kinds of events that they can match', () => {
    const { interest } = compileStable();
    assert.deepEqual(interest.kinds.toSorted(), [
      'connect',
      'exec',
      'file_change',
      'io_uring',
      'module',
      'open',
      'process_access',
      'redirect',
      'socket',
    ]);
  });
});

describe("Falco's other rule files, which may lie beside the stable one", { skip: missing || noOthers }, () => {
  /** Codes of diagnostics about features that are not available here. */
  const UNSUPPORTED = ['never-available', 'never', 'falco-source'];
  const stable = missing ? [] : [{ name: 'falco_rules.yaml', text: stableRules() }];
  const active = otherFiles.map(({ name, text }) => ({
    name,
    text: text.replaceAll('enabled: false', 'enabled: true'),
  }));
  const sets = [...active.map((source) => [source]), [...stable, ...active], [...stable, ...otherFiles]];
  for (const sources of sets) {
    test(`${sources.map(({ name }) => name).join(' and ')}: the only diagnostics are about unsupported features`, () => {
      const { rules, diagnostics } = compileRules({ sources, catalogue, kinds: eventKinds });
      assert.ok(rules.length > 0);
      const odd = diagnostics.filter(({ severity, code }) => severity === 'error' || !UNSUPPORTED.includes(code));
      assert.deepEqual(odd, []);
      const reported = new Set(diagnostics.filter(({ code }) => code === 'never').map(({ item }) => item));
      for (const { name, kinds } of rules) assert.ok(kinds.length > 0 || reported.has(name), name);
    });
  }
});

describe('every field that Falco documents', () => {
  const load = (condition: string, output = 'o'): RuleSet<EventView> => {
    const item = { rule: 'r', desc: 'd', condition, output, priority: 'INFO', source: 'syscall' };
    return compileRules({
      sources: [{ name: 'falco.yaml', text: JSON.stringify([item]) }],
      catalogue,
      kinds: eventKinds,
    });
  };

  /** Falco's field names by class. */
  const FIELDS: Readonly<Record<string, string>> = {
    evt: 'num time time.s time.iso8601 datetime datetime.s rawtime rawtime.s rawtime.ns reltime reltime.s reltime.ns pluginname plugininfo source is_async asynctype hostname latency latency.s latency.ns latency.human deltatime deltatime.s deltatime.ns dir type type.is.open category cpu args arg[0] arg.name rawarg.fd rawarg.path info buffer buflen res rawres failed is_io is_io_read is_io_write io_dir is_wait wait_latency is_syslog count count.error count.error.file count.error.net count.error.memory count.error.other count.exit around[1] abspath abspath.src abspath.dst is_open_read is_open_write is_open_exec is_open_create',
    proc: 'exe pexe aexe aexe[2] exepath pexepath aexepath aexepath[2] name pname aname aname[2] args cmdline pcmdline acmdline acmdline[1] cmdnargs cmdlenargs exeline env env[PATH] aenv aenv[2] cwd loginshellid tty pid ppid apid apid[1] vpid pvpid sid sname sid.exe sid.exepath vpgid vpgid.name vpgid.exe vpgid.exepath duration ppid.duration pid.ts ppid.ts is_exe_writable is_exe_upper_layer is_exe_from_memfd is_sid_leader is_vpgid_leader exe_ino exe_ino.ctime exe_ino.mtime exe_ino.ctime_duration_proc_start exe_ino.ctime_duration_pidns_start pidns_init_start_ts is_container_healthcheck is_container_liveness_probe is_container_readiness_probe fdopencount fdlimit fdusage vmsize vmrss vmswap nthreads nchilds',
    thread:
      'cap_permitted cap_inheritable cap_effective pfmajor pfminor tid ismain vtid exectime totexectime cgroups cgroup.cpuacct cpu cpu.user cpu.system vmsize vmrss',
    user: 'uid name homedir shell loginuid loginname',
    group: 'gid name',
    container:
      'id full_id name image image.id type privileged mounts mount[0] mount[/usr/*] mount.source[0] mount.dest[/proc*] mount.mode[0] mount.rdwr[0] mount.propagation[0] image.repository image.tag image.digest healthcheck liveness_probe readiness_probe start_ts duration ip cni.json label.app labels',
    fd: 'num type typechar name directory filename ip cip sip lip rip port cport sport lport rport l4proto sockfamily is_server uid containername containerdirectory proto cproto sproto lproto rproto net cnet snet lnet rnet connected name_changed cip.name sip.name lip.name rip.name dev dev.major dev.minor ino nameraw types types[0]',
    'fs.path': 'name nameraw source sourceraw target targetraw',
    syslog: 'facility.str facility severity.str severity message',
    fdlist: 'nums names cips sips cports sports',
    k8s: 'ns.name pod.name pod.id pod.uid pod.sandbox_id pod.full_sandbox_id pod.label[app] pod.label.app pod.labels pod.ip pod.cni.json',
    syscall: 'type',
  };
  for (const [kind, names] of Object.entries(FIELDS)) {
    test(`of ${kind} has an accessor, or is never available for a reason`, () => {
      for (const field of names.split(' ').map((name) => `${kind}.${name}`)) {
        const { rules, diagnostics } = load(`${field} exists`);
        assert.deepEqual(
          diagnostics.filter(({ severity }) => severity === 'error'),
          [],
        );
        const never = diagnostics.some(({ code }) => code === 'never-available');
        assert.equal(rules[0]?.kinds.length === 0, never, `${field} is on ${rules[0]?.kinds.join()}`);
      }
    });
  }

  const SEEN =
    'open openat openat2 creat open_by_handle_at execve execveat clone clone3 fork vfork procexit connect accept accept4 bind listen socket sendto sendmsg sendmmsg recvfrom recvmsg rename renameat renameat2 link linkat symlink symlinkat unlink unlinkat rmdir mkdir mkdirat chmod fchmod fchmodat chown lchown fchown fchownat mknod mknodat splice mount umount umount2 pivot_root chroot fsconfig memfd_create mmap mprotect kill tkill tgkill signaldeliver ptrace process_vm_readv process_vm_writev pidfd_getfd setns unshare prctl seccomp setuid setresuid setgid setresgid setgroups dup dup2 dup3 fcntl capset init_module finit_module delete_module bpf userfaultfd io_uring_setup quotactl';
  const UNSEEN = 'read write close ioctl poll select brk futex switch drop container pipe shutdown chdir getuid';

  test('can be compared with every name of the event types that the sensor sees', () => {
    for (const type of SEEN.split(' ')) {
      const { rules, diagnostics } = load(`evt.type = ${type}`);
      assert.deepEqual([diagnostics, (rules[0]?.kinds.length ?? 0) > 0], [[], true], type);
    }
    for (const type of UNSEEN.split(' ')) {
      const found = load(`evt.type in (${type})`).diagnostics.map(({ code }) => code);
      assert.deepEqual(found.toSorted(), ['never', 'never-available'], type);
    }
  });

  test('can be named by outputs', () => {
    const names = Object.entries(FIELDS).flatMap(([kind, all]) => all.split(' ').map((name) => `%${kind}.${name}`));
    const { diagnostics } = load('proc.name = x', names.join(' '));
    assert.deepEqual(
      diagnostics.filter(({ code }) => code !== 'never-available'),
      [],
    );
  });
});
