import { ifReadable, readBounded } from '@ringfence/host-kit';
import { type CheckResult, result } from './check.ts';

const TEXT_MAX = 16 << 20;
const ENTRY = /^(__x64_sys_|__ia32_sys_|__arm64_sys_|x64_sys_call$|do_syscall_64$|ksys_|__se_sys_)/;

/** Finds functions that ftrace or a kprobe intercepts, as tracefs and debugfs list them. Livepatches are among them. */
export function checkFunctionHooks(root = '/'): CheckResult {
  const ftrace = lines(`${root}sys/kernel/tracing/enabled_functions`);
  const kprobes = lines(`${root}sys/kernel/debug/kprobes/list`);
  const unseen = [
    ...(ftrace === null ? ['tracefs has no enabled_functions'] : []),
    ...(kprobes === null ? ['debugfs has no list of kprobes'] : []),
  ];
  const traced = (ftrace ?? []).map((line) => [line.split(/\s/)[0] ?? '', line.replace(/\s+/g, ' ')] as const);
  // Fields: address, k or r, function+offset, module, flags.
  const probed = (kprobes ?? []).map((line) => {
    const [, kind, place = ''] = line.split(/\s+/);
    return [place.split('+')[0] ?? '', `a ${kind === 'r' ? 'kretprobe' : 'kprobe'}: ${line}`] as const;
  });
  const found = [
    ...traced.filter(([name]) => ENTRY.test(name)).map(([name, line]) => [name, `ftrace: ${line}`] as const),
    ...probed.filter(([name]) => ENTRY.test(name)),
  ];
  return result('function-hooks', found, unseen.join('; '));
}

function lines(path: string): string[] | null {
  const text = ifReadable(() => readBounded(path, TEXT_MAX));
  return text === null ? null : text.toString('latin1').split('\n').filter(Boolean);
}
