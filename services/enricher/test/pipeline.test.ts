import assert from 'node:assert/strict';
import test from 'node:test';
import { createSyntheticHost, O } from '@ringfence/synthetic';
import { decode, KIND, RawBatchReader } from '@ringfence/wire';
import {
  createTestEnricher,
  decodedBatch,
  enrichOne,
  executableOf,
  fieldsOfExecs,
  records,
  seenIn,
  TestStore,
} from './support.ts';

test('an event has its process with all ancestors, its user and its container', () => {
  const host = createSyntheticHost();
  host.user(0, 'root');
  host.snapshot(host.init, '/usr/lib/systemd/systemd');
  host.container({ cgroup: 77n, id: 'c1' });
  const shim = host.spawn(host.init, '/usr/bin/containerd-shim');
  const entry = host.fork(shim);
  entry.cgroup = 77n;
  host.exec(entry, '/bin/sh', { argv: ['sh', '-c', 'id'] });
  host.open(entry, '/etc/passwd');
  const seen = enrichOne(createTestEnricher(host), host);
  const open = seen.at(-1);
  assert.equal(seen.length, 8);
  assert.deepEqual(open?.lineage, ['/bin/sh', '/usr/bin/containerd-shim', '/usr/lib/systemd/systemd']);
  assert.deepEqual(open?.args, ['sh', '-c', 'id']);
  assert.deepEqual([open?.user, open?.container, open?.partial], ['root', 'c1', '']);
  assert.equal(seen[5]?.container, undefined, 'the fork was still in the cgroup of the shim');
});

test('the bytes of each event are those of the raw batch', () => {
  const host = createSyntheticHost();
  const sh = host.spawn(host.init, '/bin/sh');
  host.open(sh, Buffer.from([0x2f, 0xff, 0xfe, 0x1b]), O.WRONLY);
  const raw = host.batch();
  const { outputs } = createTestEnricher(host).handle(records(host, [raw]));
  const reader = new RawBatchReader();
  reader.open(raw);
  const out = outputs[0]?.value ?? new Uint8Array();
  while (reader.next()) {
    const { buffer, eventAt, eventEnd } = reader.cursor;
    assert.ok(Buffer.from(out).includes(buffer.subarray(eventAt, eventEnd)));
  }
});

test('an event has the image of its process at that time, even if the process executes another in the same batch', () => {
  const host = createSyntheticHost();
  const process = host.spawn(host.init, '/tmp/first');
  host.open(process, '/a');
  host.exec(process, '/tmp/second');
  host.open(process, '/b');
  const batch = decodedBatch(createTestEnricher(host), host);
  const opens = batch.events.filter(({ event }) => 'ringfence.Open' in event.body);
  assert.deepEqual(
    opens.map(({ process: index }) => executableOf(batch.processes[index])),
    ['/tmp/first', '/tmp/second'],
  );
  const [first, second] = opens.map(({ process: index }) => batch.processes[index]);
  assert.deepEqual(first?.entityId, second?.entityId);
});

test('a fork has the image of its parent until it executes something', () => {
  const host = createSyntheticHost();
  const sh = host.spawn(host.init, '/bin/sh');
  const child = host.fork(sh);
  host.open(child, '/a');
  const seen = enrichOne(createTestEnricher(host), host);
  assert.equal(seen.at(-1)?.executable, '/bin/sh');
  assert.deepEqual(
    seen.map(({ partial }) => partial),
    ['process unknown', '', '', ''],
    'only the fork of pid 1, which is unknown, is partial',
  );
});

test('the name of a kernel thread is not cut at its slashes, because it is not a path', () => {
  const host = createSyntheticHost();
  const worker = host.snapshot(host.fork(host.init), '', { filename: 'kworker/u8:2' });
  host.spawn(worker, '/sbin/modprobe');
  const rows = fieldsOfExecs(host, ['falco.proc.name', 'process.name', 'process.parent.name', 'falco.proc.pname']);
  assert.deepEqual(rows, [
    ['kworker/u8:2', undefined, undefined, undefined],
    ['modprobe', 'modprobe', 'kworker/u8:2', 'kworker/u8:2'],
  ]);
});

test('an unknown parent has a pid, and missing instead of empty texts', () => {
  const host = createSyntheticHost();
  host.spawn(host.unseen(undefined, 77), '/bin/sh');
  const texts = ['name', 'executable', 'command_line'].map((name) => `process.parent.${name}`);
  const [row] = fieldsOfExecs(host, ['process.parent.pid', ...texts, 'falco.proc.pname']);
  assert.deepEqual(row, [77, undefined, undefined, undefined, undefined]);
});

test('lists of ancestors omit unknown processes, except for lists of pids', () => {
  const native = ['name', 'executable'].map((name) => `process.ancestors.${name}`);
  const falco = ['aname', 'aexe', 'acmdline', 'apid'].map((name) => `falco.proc.${name}`);
  const host = createSyntheticHost();
  const sh = host.spawn(host.unseen(undefined, 77), '/bin/sh', ['sh']);
  host.spawn(sh, '/bin/id', ['id']);
  assert.deepEqual(fieldsOfExecs(host, [...native, ...falco]), [
    [undefined, undefined, undefined, undefined, undefined, ['77']],
    [['sh'], ['/bin/sh'], ['sh'], ['sh'], ['sh'], [String(sh.tgid), '77']],
  ]);
});

test('a failed attempt changes neither the tree nor its process', () => {
  const host = createSyntheticHost();
  const sh = host.spawn(host.init, '/bin/sh');
  const attempt = { result: -13, count: 1, path: '/tmp/x', argv: '/tmp/x' };
  host.event(sh, 'Attempt', { ...attempt, operation: 2, call: 5 });
  host.event(sh, 'Attempt', { ...attempt, operation: 1, call: 3 });
  host.event(sh, 'Attempt', { ...attempt, operation: 3, call: 8, result: -1 });
  host.open(sh, '/a');
  const batch = decodedBatch(createTestEnricher(host), host);
  const indexes = batch.events.slice(1).map(({ process }) => process);
  assert.equal(new Set(indexes).size, 1, 'one process, in one state');
  const [process] = batch.processes.slice(indexes[0], (indexes[0] ?? 0) + 1);
  assert.deepEqual([executableOf(process), process?.credentials.uid], ['/bin/sh', 0]);
});

test('an unknown process is a placeholder until its exec or snapshot arrives', () => {
  const host = createSyntheticHost();
  const enricher = createTestEnricher(host);
  const stranger = host.unseen();
  host.open(stranger, '/a');
  const child = host.fork(stranger);
  assert.deepEqual(
    enrichOne(enricher, host).map(({ partial }) => partial),
    ['process unknown', 'process unknown'],
  );
  host.snapshot(stranger, '/usr/sbin/nginx');
  host.open(stranger, '/b');
  host.open(child, '/c');
  const seen = enrichOne(enricher, host, 1);
  assert.deepEqual(
    seen.map(({ partial, executable }) => [partial, executable]),
    [
      ['', '/usr/sbin/nginx'],
      ['', '/usr/sbin/nginx'],
      ['', '/usr/sbin/nginx'],
    ],
  );
});

test('a late exec does not restore the previous program', () => {
  const host = createSyntheticHost();
  const enricher = createTestEnricher(host);
  host.snapshot(host.init, '/sbin/init');
  const process = host.spawn(host.init, '/bin/a');
  process.execId++;
  host.exec(process, '/bin/c');
  process.execId -= 2;
  host.exec(process, '/bin/b');
  const seen = enrichOne(enricher, host);
  assert.deepEqual(
    [seen.at(-1)?.executable, seen.at(-1)?.partial],
    ['/bin/c', 'late: the process has executed another program since'],
  );
});

test('a reused pid is another process, and each late event belongs to its own process', () => {
  const host = createSyntheticHost();
  host.snapshot(host.init, '/sbin/init');
  const first = host.exec(host.fork(host.init, { pid: 77 }), '/bin/first');
  host.exit(first);
  const second = host.exec(host.fork(host.init, { pid: 77 }), '/bin/second');
  host.open(first, '/etc/passwd');
  host.open(second, '/etc/passwd');
  const seen = enrichOne(createTestEnricher(host), host);
  assert.deepEqual(
    seen.slice(-2).map(({ executable }) => executable),
    ['/bin/first', '/bin/second'],
  );
});

test('a late event has the container of its own cgroup, and moves its process only if no later event has', () => {
  const host = createSyntheticHost();
  const enricher = createTestEnricher(host);
  host.container({ cgroup: 77n, id: 'inside' });
  host.container({ cgroup: 78n, id: 'before' });
  const entry = host.fork(host.spawn(host.init, '/usr/bin/containerd-shim'));
  const { ktime } = host;
  host.tick();
  host.late = true;
  const opened = (cgroup: bigint, at: number, path: string): void => {
    entry.cgroup = cgroup;
    host.ktime = at;
    host.open(entry, path);
  };
  opened(77n, ktime + 100, '/first in the container');
  opened(78n, ktime + 50, '/before');
  host.late = false;
  opened(77n, ktime + 2_000_000, '/now');
  const { events, containers, processes } = decodedBatch(enricher, host);
  const opens = events.slice(-3);
  assert.deepEqual(
    opens.map(({ container }) => containers[container]?.id),
    ['inside', 'before', 'inside'],
  );
  assert.deepEqual(
    opens.map(({ process }) => containers[processes[process]?.container ?? -1]?.id),
    ['inside', 'inside', 'inside'],
  );
});

test('a process keeps its credentials up to date, and a user has the name from the host', () => {
  const host = createSyntheticHost();
  const enricher = createTestEnricher(host);
  host.user(0, 'root');
  host.user(33, 'www-data');
  const process = host.spawn(host.init, '/usr/sbin/apache2');
  host.credentials(process, 33);
  host.open(process, '/a');
  host.fork(process);
  const seen = enrichOne(enricher, host);
  assert.deepEqual(seen.map(({ user }) => user).slice(3), ['root', 'www-data', 'www-data', 'www-data']);
});

test('an exec of a recently written file has its writer and the time since', () => {
  const host = createSyntheticHost();
  const enricher = createTestEnricher(host);
  host.snapshot(host.init, '/sbin/init');
  const curl = host.spawn(host.init, '/usr/bin/curl');
  host.open(curl, '/tmp/x', O.WRONLY | O.CREAT);
  host.open(curl, '/dev/null', O.WRONLY, { mode: 0o20666 });
  host.exit(curl);
  enrichOne(enricher, host);
  host.spawn(host.init, '/tmp/x');
  host.spawn(host.init, '/dev/null');
  host.spawn(host.init, '/bin/ls');
  const execs = enrichOne(enricher, host, 1).filter(({ kind }) => kind === KIND.Exec);
  assert.deepEqual(
    execs.map(({ writer, writtenAgo }) => [writer, writtenAgo]),
    [
      ['/usr/bin/curl', 4000],
      [undefined, -1],
      [undefined, -1],
    ],
  );
});

test('only the file that was written has a writer, whatever numbers an overlay or a reused inode shows', () => {
  const host = createSyntheticHost();
  const enricher = createTestEnricher(host);
  host.snapshot(host.init, '/sbin/init');
  const cp = host.spawn(host.init, '/usr/bin/cp');
  const shown = { inode: 500n, device: 47 };
  host.open(cp, '/tmp/x', O.WRONLY | O.CREAT, { ...shown, realInode: 9n, realDevice: 8, generation: 3 });
  enrichOne(enricher, host);
  const run = (path: string, file: object): unknown => host.spawn(host.init, path, [path], { ...shown, ...file });
  run('/tmp/x', { realInode: 9n, realDevice: 8, generation: 3 });
  run('/usr/bin/pkexec', { realInode: 500n, realDevice: 9, generation: 1 });
  run('/tmp/reused', { realInode: 9n, realDevice: 8, generation: 4 });
  run('/lower/x', { inode: 9n, device: 8, generation: 3 });
  run('/other/x', { generation: 0 });
  const execs = enrichOne(enricher, host, 1).filter(({ kind }) => kind === KIND.Exec);
  const writers = execs.map(({ executable, writer }) => [executable, writer]);
  assert.deepEqual(writers, [
    ['/tmp/x', '/usr/bin/cp'],
    ['/usr/bin/pkexec', undefined],
    ['/tmp/reused', undefined],
    ['/lower/x', '/usr/bin/cp'],
    ['/other/x', undefined],
  ]);
});

test('an ended process stays for late events and for its children, then it is removed', () => {
  const host = createSyntheticHost();
  const enricher = createTestEnricher(host, { keptTicks: 3 });
  host.snapshot(host.init, '/sbin/init');
  const parent = host.spawn(host.init, '/bin/parent');
  const child = host.spawn(parent, '/bin/child');
  host.exit(parent);
  for (let i = 0; i < 10; i++) host.tick();
  host.open(child, '/a');
  assert.deepEqual(enrichOne(enricher, host).at(-1)?.lineage, ['/bin/child', '/bin/parent', '/sbin/init']);
  assert.equal(enricher.stats().processes, 3);
  host.exit(child);
  for (let i = 0; i < 4; i++) host.tick();
  enrichOne(enricher, host, 1);
  assert.equal(enricher.stats().processes, 1);
});

test('beyond the maximum, ended processes are evicted first, and counted', () => {
  const host = createSyntheticHost();
  const enricher = createTestEnricher(host, { maxProcesses: 64 });
  host.snapshot(host.init, '/sbin/init');
  const keeper = host.spawn(host.init, '/bin/keeper');
  for (let i = 0; i < 200; i++) host.exit(host.spawn(keeper, '/bin/true'));
  host.open(keeper, '/a');
  const seen = enrichOne(enricher, host);
  assert.deepEqual(seen.at(-1)?.lineage, ['/bin/keeper', '/sbin/init']);
  const { processes, evicted } = enricher.stats();
  assert.ok(processes <= 64);
  assert.equal(processes + evicted, 202);
});

test('a container that is gone is kept for its late events, then removed', () => {
  const host = createSyntheticHost();
  const enricher = createTestEnricher(host, { keptTicks: 2 });
  host.container({ cgroup: 9n, id: 'c9' });
  const process = host.fork(host.init, { cgroup: 9n });
  host.container({ cgroup: 9n, id: '' });
  host.open(process, '/a');
  assert.equal(enrichOne(enricher, host).at(-1)?.container, 'c9');
  host.tick();
  host.tick();
  host.open(process, '/b');
  assert.equal(enrichOne(enricher, host, 1).at(-1)?.container, undefined);
});

test('an event of a container without a description is partial, and complete after the description', () => {
  const host = createSyntheticHost();
  const enricher = createTestEnricher(host);
  host.container({ cgroup: 9n, id: 'c9', image: '', described: false });
  const process = host.fork(host.init, { cgroup: 9n });
  host.exec(process, '/bin/x');
  host.open(process, '/a');
  host.container({ cgroup: 9n, id: 'c9', image: 'x:1' });
  host.open(process, '/b');
  assert.deepEqual(
    enrichOne(enricher, host)
      .slice(-3)
      .filter(({ container }) => container !== undefined)
      .map(({ partial }) => partial),
    ['its container has not been described yet', ''],
  );
});

test('context records, ticks and counters are forwarded', () => {
  const host = createSyntheticHost();
  host.user(5, 'games');
  host.mount('/mnt');
  host.tick();
  const batch = decodedBatch(createTestEnricher(host), host);
  assert.deepEqual(
    batch.events.map(({ process }) => process),
    [-1, -1, -1],
  );
  assert.deepEqual(
    batch.lanes.map(({ lane }) => lane),
    [17, 16],
  );
});

test('a batch of thousands of new processes is split into parts that fit into records', () => {
  const host = createSyntheticHost();
  for (let i = 0; i < 3000; i++) host.spawn(host.init, `/usr/bin/a-program-with-a-rather-long-name-${i}`);
  const enricher = createTestEnricher(host);
  const { outputs } = enricher.handle(records(host, [host.batch()]));
  assert.ok(outputs.length > 1);
  assert.equal(enricher.stats().splits, outputs.length - 1);
  for (const { value } of outputs) assert.ok((value?.length ?? 0) < 2 ** 20);
  assert.equal(outputs.flatMap(({ value }) => decode('EventBatch', value ?? new Uint8Array()).events).length, 6000);
  assert.equal(
    seenIn(outputs.at(-1)?.value ?? new Uint8Array()).at(-1)?.executable,
    '/usr/bin/a-program-with-a-rather-long-name-2999',
  );
});

test('two boots of a host are kept, and the one before them is evicted with all its state', () => {
  const key = createSyntheticHost().key;
  const store = new TestStore();
  const enricher = createTestEnricher(createSyntheticHost({ key }));
  for (const bootId of ['boot-1', 'boot-2', 'boot-3']) {
    const host = createSyntheticHost({ key, bootId });
    host.user(0, 'root');
    host.container({ cgroup: 5n });
    host.open(host.spawn(host.init, '/bin/sh'), '/tmp/x', O.WRONLY);
    store.apply(enricher.handle(records(host, [host.batch()])));
  }
  const boots = new Set(store.dump().map((line) => line.split('/')[1]));
  assert.deepEqual([...boots].sort(), ['boot-2', 'boot-3']);
  assert.equal(enricher.stats().processes, 4);
});
