import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { BpfLink, BpfObject } from '../src/index.ts';
import { cgroup2, compile, programs, scratch, skip, skipPins } from './kernel.ts';

function hits(object: BpfObject, name: string): bigint {
  return object.globals[name] as bigint;
}

describe('links on the running kernel', { skip }, () => {
  let directory: ReturnType<typeof scratch>;
  let path: string;
  before(() => {
    directory = scratch();
    path = compile('hooks', directory.path);
  });
  after(() => directory[Symbol.dispose]());

  function load(): BpfObject {
    const object = BpfObject.open(path);
    object.globals['target'] = process.pid;
    return object.load();
  }

  test('attach attaches all programs whose section names the hook, and dispose detaches them', () => {
    using object = load();
    const links = object.attach();
    assert.deepEqual([...links].map((link) => link.label).sort(), ['on_getppid', 'on_sys_enter']);
    void process.ppid;
    const raw = hits(object, 'raw_hits');
    assert.ok(raw > 0n);
    assert.equal(hits(object, 'tp_hits') > 0n, true);
    for (const link of links) link[Symbol.dispose]();
    const hitsAfterDetach = hits(object, 'tp_hits');
    void process.ppid;
    assert.equal(hits(object, 'tp_hits'), hitsAfterDetach);
  });

  test('a program can be attached by name', () => {
    using object = load();
    using link = object.program('on_getppid').attach();
    void process.ppid;
    assert.ok(hits(object, 'tp_hits') > 0n);
    assert.equal(hits(object, 'raw_hits'), 0n);
    assert.equal(link.programId, object.program('on_getppid').id);
  });

  test('a program can be attached to an explicit tracepoint', () => {
    using object = load();
    using _link = object.program('on_getppid').attachTracepoint('syscalls', 'sys_enter_getppid');
    void process.ppid;
    assert.ok(hits(object, 'tp_hits') > 0n);
    assert.throws(() => object.program('on_getppid').attachTracepoint('syscalls', 'no_such_tracepoint'), {
      code: 'ERR_BPF_ATTACH',
      errnoName: 'ENOENT',
    });
  });

  test('a uprobe fires in the process that it traces', () => {
    using object = load();
    const libc = /\S+\/libc\.so\.6$/m.exec(readFileSync('/proc/self/maps', 'utf8'))?.[0] ?? '';
    using _link = object.program('on_function').attachUprobe({ path: libc, symbol: 'getppid', pid: process.pid });
    void process.ppid;
    assert.ok(hits(object, 'uprobe_hits') > 0n);
    assert.throws(() => object.program('on_function').attachUprobe({ path: libc, symbol: 'no_such_function' }), {
      code: 'ERR_BPF_ATTACH',
    });
  });

  test('a USDT probe is attached by its name, with its arguments and a cookie', () => {
    const program = join(directory.path, 'usdt');
    execFileSync('cc', ['-O1', '-o', program, join(programs, 'usdt.c')]);
    using object = BpfObject.open(compile('usdt', directory.path)).load();
    const probe = { path: program, provider: 'libbpf_ts', name: 'counted' };
    using link = object.program('on_usdt').attachUsdt({ ...probe, cookie: 77n });
    execFileSync(program);
    assert.deepEqual([hits(object, 'usdt_hits'), hits(object, 'usdt_argument')], [7n, 301n]);
    assert.equal(hits(object, 'usdt_cookie'), 77n);
    link[Symbol.dispose]();
    execFileSync(program);
    assert.equal(hits(object, 'usdt_hits'), 7n);
    assert.throws(() => object.program('on_usdt').attachUsdt({ ...probe, name: 'none' }), { code: 'ERR_BPF_ATTACH' });
  });

  test('a pinned tracepoint stays attached after its link and its object are disposed of', { skip: skipPins }, () => {
    const pin = `/sys/fs/bpf/rf-test-${process.pid}-tp`;
    using object = load();
    const link = object.program('on_getppid').attach();
    link.pin(pin);
    assert.equal(link.pinPath, pin);
    link[Symbol.dispose]();
    const before = hits(object, 'tp_hits');
    void process.ppid;
    assert.ok(hits(object, 'tp_hits') > before);
    withLink(pin, (reopened) => reopened.unpin());
    const hitsAfterUnpin = hits(object, 'tp_hits');
    void process.ppid;
    assert.equal(hits(object, 'tp_hits'), hitsAfterUnpin);
  });

  describe('in a cgroup', { skip: cgroup2() === undefined && 'cgroup v2 is not mounted' }, () => {
    const cgroup = join(cgroup2() ?? '', `libbpf-ts-${process.pid}`);
    before(() => mkdirSync(cgroup));
    after(() => rmdirSync(cgroup));

    /** Returns the error code of connect() in a child process that joins the cgroup. This process stays outside. */
    function connectInside(): string {
      const script = `echo $$ > ${cgroup}/cgroup.procs; exec "$0" -e "require('node:net').connect(1, '127.0.0.1').on('error', (error) => console.log(error.code))"`;
      return execFileSync('sh', ['-c', script, process.execPath], { encoding: 'utf8' }).trim();
    }

    test('a connect hook can refuse the connects of processes in the cgroup', async () => {
      using object = load();
      using link = object.program('refuse_connect').attachCgroup(cgroup);
      assert.equal(connectInside(), 'EPERM');
      assert.equal(hits(object, 'connects'), 1n);
      const outside = await new Promise<string>((resolve) => {
        connect(1, '127.0.0.1').on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
      });
      assert.equal(outside, 'ECONNREFUSED');
      link.detach();
      assert.equal(connectInside(), 'ECONNREFUSED');
    });

    test('update replaces the program of a link that was opened from its pin', { skip: skipPins }, () => {
      const pin = `/sys/fs/bpf/rf-test-${process.pid}-cgroup`;
      using object = load();
      object.program('refuse_connect').attachCgroup(cgroup).pin(pin);
      assert.equal(connectInside(), 'EPERM');
      using next = load();
      withLink(pin, (link) => {
        link.update(next.program('allow_connect'));
        assert.equal(link.programId, next.program('allow_connect').id);
        assert.equal(connectInside(), 'ECONNREFUSED');
        assert.equal(hits(next, 'connects'), 1n);
        link.unpin();
      });
    });

    test('attaching to a missing cgroup fails', () => {
      using object = load();
      assert.throws(() => object.program('allow_connect').attachCgroup(`${cgroup}/none`), {
        code: 'ERR_BPF_ATTACH',
        errnoName: 'ENOENT',
      });
    });
  });

  test('replacing the program of a tracing link fails', () => {
    using object = load();
    using link = object.program('on_sys_enter').attach();
    assert.throws(() => link.update(object.program('on_sys_enter')), { code: 'ERR_BPF_LINK', errnoName: 'EINVAL' });
  });

  test('using a disposed link throws', () => {
    using object = load();
    const link = object.program('on_sys_enter').attach();
    link[Symbol.dispose]();
    link[Symbol.dispose]();
    assert.throws(() => link.fd, { code: 'ERR_BPF_DISPOSED' });
  });
});

function withLink(pin: string, use: (link: BpfLink) => void): void {
  using link = BpfLink.openPinned(pin);
  use(link);
}
