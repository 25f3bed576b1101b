import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { Log } from '@ringfence/base';
import { kernelSkip, memoryBus, startTestCollector, TestPlace } from '@ringfence/testkit/agent';
import { logMissingHooks, type MissingHook } from '../src/attach/missing-hooks.ts';

interface Line {
  readonly level: string;
  readonly facts: object;
  readonly message: string;
}

function collect(): { readonly lines: Line[]; readonly log: Log } {
  const lines: Line[] = [];
  const write = (level: string) => (facts: object, message: string) => void lines.push({ level, facts, message });
  return { lines, log: { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') } };
}

const absent = (reason = ''): MissingHook => ({ reason, absent: true });
const problem = (reason: string): MissingHook => ({ reason, absent: false });

function linesOf(missing: Readonly<Record<string, readonly [section: string, hook: MissingHook]>>): Line[] {
  const { lines, log } = collect();
  const hooks = new Map(Object.entries(missing).map(([name, [, hook]]) => [name, hook]));
  logMissingHooks(hooks, (name) => missing[name]?.[0] ?? name, log);
  return lines;
}

describe('the log of missing hooks', () => {
  it('is empty if no hook is missing', () => assert.deepEqual(linesOf({}), []));

  it('names all that this kernel lacks in one line of level info, each facility once', () => {
    assert.deepEqual(
      linesOf({
        module_loaded: ['raw_tp/module_load', absent()],
        init_module_exit: ['tracepoint/syscalls/sys_exit_init_module', absent()],
        finit_module_exit: ['tracepoint/syscalls/sys_exit_finit_module', absent()],
        kexec_load_exit: ['tracepoint/syscalls/sys_exit_kexec_load', absent()],
        kexec_file_load_exit: ['tracepoint/syscalls/sys_exit_kexec_file_load', absent()],
        fchmodat2_exit: ['tracepoint/syscalls/sys_exit_fchmodat2', absent()],
      }),
      [
        {
          level: 'info',
          facts: { hooks: 6 },
          message: 'not seen, because this kernel does not have it: kernel modules, kexec, system call fchmodat2',
        },
      ],
    );
  });

  it('has one warning for each other reason', () => {
    const full = (name: string): MissingHook => problem(`the hook ${name} can't be attached: attaching failed: E2BIG`);
    assert.deepEqual(
      linesOf({
        packet_leaves: ['cgroup_skb/egress', full('packet_leaves')],
        packet_arrives: ['cgroup_skb/ingress', full('packet_arrives')],
        'probe of /usr/bin/bash': ['probe of /usr/bin/bash', problem('no symbol readline')],
      }),
      [
        {
          level: 'warn',
          facts: { hooks: ['packet_leaves', 'packet_arrives'], reason: full('packet_leaves').reason },
          message: 'hooks are missing: their events are not seen',
        },
        {
          level: 'warn',
          facts: { hooks: ['probe of /usr/bin/bash'], reason: 'no symbol readline' },
          message: 'hooks are missing: their events are not seen',
        },
      ],
    );
  });

  it('has at most one line of an agent on the running kernel', { skip: kernelSkip() }, async () => {
    using place = new TestPlace();
    await using bus = await memoryBus();
    const { lines, log } = collect();
    await using collector = await startTestCollector(place, bus, {}, { log });
    const notSeen = lines.filter(({ message }) => /not seen/.test(message));
    const hasModules = existsSync('/sys/kernel/tracing/events/syscalls/sys_exit_init_module');
    assert.ok(notSeen.length <= 1, JSON.stringify(notSeen));
    for (const { level } of notSeen) assert.equal(level, 'info');
    assert.equal(/kernel modules/.test(notSeen[0]?.message ?? ''), !hasModules);
    // The statistics still name each hook with its reason.
    const { missingHooks } = collector.stats();
    assert.equal('init_module_exit' in missingHooks, !hasModules);
  });
});
