import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { silentLog } from '@ringfence/base';
import { parseProbeArguments } from '@ringfence/fields';
import { BpfObject, isBpfFileSystem, type RingBuffer } from '@ringfence/libbpf-ts';
import { CustomProbes, type ProbeStatus, readProbeFiles, sizeForCpus } from '@ringfence/sensor';
import { CUSTOM_PROGRAMS } from '@ringfence/sensor/parts';
import { BULK, RecordReader, Scratch, type SensorRecord, sensorObject, skip } from '@ringfence/testkit/sensor';

const BPF_FS = '/sys/fs/bpf';
const noPins = existsSync(BPF_FS) && isBpfFileSystem(BPF_FS) ? false : `no bpf file system at ${BPF_FS}`;
const SECONDS_OF_A_CHECK = 10;

/** Loads only the programs of custom probes, which is fast. */
class ProbeSensor implements Disposable {
  readonly object: BpfObject;
  readonly pinPath: string = mkdtempSync(`${BPF_FS}/rf-test-${process.pid}-custom-`);
  readonly #ring: RingBuffer;
  readonly #reader: RecordReader;

  constructor(path: string) {
    this.object = BpfObject.open(path);
    for (const ring of ['rf_ring_security', 'rf_ring_bulk']) this.object.definition(ring).resize(1 << 20);
    sizeForCpus(this.object);
    for (const program of this.object.programs.values()) program.autoload = CUSTOM_PROGRAMS.includes(program.name);
    this.object.load();
    if (this.object.btf === undefined) throw new Error('the sensor has no BTF');
    this.#reader = new RecordReader(this.object.btf);
    this.#ring = this.object.map('rf_ring_bulk').ringBuffer();
  }

  drain(): SensorRecord[] {
    const records: SensorRecord[] = [];
    this.#ring.begin();
    while (this.#ring.next()) {
      const bytes = Buffer.from(this.#ring.bytes.subarray(this.#ring.offset, this.#ring.offset + this.#ring.length));
      records.push(this.#reader.read(BULK, bytes));
    }
    this.#ring.release();
    return records;
  }

  [Symbol.dispose](): void {
    this.#ring[Symbol.dispose]();
    this.object[Symbol.dispose]();
    rmSync(this.pinPath, { recursive: true });
  }
}

describe('custom probes', { skip: skip || noPins, timeout: 120_000 }, () => {
  let scratch: Scratch;
  let sensor: ProbeSensor;
  let program: string;
  let probes: CustomProbes;
  before(async () => {
    scratch = new Scratch();
    program = scratch.compile('probed');
    sensor = new ProbeSensor(await sensorObject());
  });
  after(() => {
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });
  afterEach(() => {
    for (const name of readdirSync(sensor.pinPath)) rmSync(join(sensor.pinPath, name));
    for (const link of sensor.object.links) link[Symbol.dispose]();
  });

  /** Attaches the probes of a YAML text, in which PROGRAM stands for the path of the test program. */
  function attach(yaml: string): ProbeStatus[] {
    const file = join(scratch.path, 'probes.yaml');
    writeFileSync(file, yaml.replaceAll('PROGRAM', program));
    probes = new CustomProbes(readProbeFiles([file]), {
      ...sensor,
      object: sensor.object,
      hostRoot: '/',
      log: silentLog,
    });
    probes.attach();
    sensor.drain();
    return probes.status();
  }

  const onlyProbe = (): ProbeStatus => {
    const [probe, ...rest] = probes.status();
    assert.deepEqual(rest, []);
    assert.ok(probe);
    return probe;
  };

  function passCheck(): void {
    for (let second = 0; second < SECONDS_OF_A_CHECK; second++) probes.tick();
  }

  /** Returns "name: argument=text …" for each event of the process. */
  const eventsOf = (pid: number | undefined): string[] =>
    sensor
      .drain()
      .filter(({ header }) => header.tgid === pid)
      .map(({ texts }) => {
        const found = parseProbeArguments(texts['arguments']?.bytes ?? Buffer.alloc(0));
        return `${texts['name']?.bytes}: ${found.map(({ name, text, cut }) => `${name}=${text}${cut ? '…' : ''}`).join(' ')}`;
      });

  const run = (file: string, uri = '/admin', size = '1000'): string[] => eventsOf(spawnSync(file, [uri, size]).pid);

  test('arguments are read according to their types, through pointers and from pages that are not in memory', () => {
    attach(`
- name: handle
  uprobe: { path: PROGRAM, symbol: shop_handle }
  arguments:
    - { name: uri, from: arg1, type: string }
    - { name: begin, from: '*(arg0+8)', type: string, max: 4 }
    - { name: number, from: '*(arg0)', type: s32 }
    - { name: discount, from: '*(arg0+4)', type: u16 }
    - { name: size, from: arg2, type: u8 }
    - { name: buyer, from: arg0+20, type: ipv4 }
    - { name: seller, from: arg0+32, type: ipv6 }
    - { name: deep, from: '*(*(arg0+48)+8)', type: string }
`);
    const [line, ...rest] = run(program, '/admin', '259');
    assert.deepEqual(rest, []);
    assert.equal(
      line,
      'handle: uri=/admin begin=/adm… number=-40 discount=65534 size=3 buyer=198.51.100.7 seller=2001::9 deep=\x7fELF\x02\x01\x01',
    );
    assert.deepEqual([onlyProbe().hits, onlyProbe().faults, onlyProbe().lost], [1, 0, 0]);
  });

  test('return values are read when the function returns', () => {
    attach(`
- name: status
  uprobe: { path: PROGRAM, symbol: shop_handle, return: true }
  arguments: [{ name: status, from: retval, type: s32 }]
- name: answer
  uprobe: { path: PROGRAM, symbol: shop_answer, return: true }
  arguments: [{ name: text, from: retval+1, type: string }, { name: at, from: retval, type: pointer }]
`);
    const [status, answer = ''] = run(program);
    assert.equal(status, 'status: status=960');
    assert.match(answer, /^answer: text=admin at=0x[0-9a-f]{6,}$/);
  });

  test('a USDT probe reads arguments from registers, memory and constants, and raises its semaphore while it is attached', () => {
    assert.deepEqual(run(program), []);
    attach(`
- name: order
  usdt: { path: PROGRAM, provider: shop, name: order }
  arguments:
    - { name: number, from: arg0, type: s64 }
    - { name: uri, from: arg1, type: string }
    - { name: five, from: arg2, type: u32 }
`);
    assert.deepEqual(run(program), ['order: number=-40 uri=/admin five=5']);
  });

  test('a tracepoint probe reads numbers, strings inside and outside of the record, and memory of the caller', () => {
    attach(`
- name: exec
  tracepoint: { category: sched, name: sched_process_exec }
  arguments: [{ name: file, from: filename, type: string }, { name: pid, from: pid, type: s32 }]
- name: exit
  tracepoint: { category: sched, name: sched_process_exit }
  arguments: [{ name: comm, from: comm, type: string }, { name: head, from: comm, type: bytes, max: 3 }]
- name: sync
  tracepoint: { category: syscalls, name: sys_enter_sync_file_range }
  arguments: [{ name: fd, from: fd, type: s32 }, { name: offset, from: offset, type: u64 }]
- name: open
  tracepoint: { category: syscalls, name: sys_enter_openat }
  arguments: [{ name: path, from: filename, type: string }]
`);
    const { pid } = spawnSync(program, ['/', '1']);
    const lines = eventsOf(pid);
    assert.ok(lines.includes(`exec: file=${program} pid=${pid}`), lines.join('\n'));
    assert.ok(lines.includes('exit: comm=probed head=70726f'), lines.join('\n'));
    assert.ok(lines.includes('sync: fd=-1 offset=17'), lines.join('\n'));
    assert.ok(lines.includes('open: path=/etc/ld.so.cache'), lines.join('\n'));
  });

  test('the length of bytes can be another argument, up to a limit, and unreadable memory is omitted and counted', () => {
    attach(`
- name: bytes
  uprobe: { path: PROGRAM, symbol: shop_handle }
  arguments:
    - { name: size, from: arg2, type: s64 }
    - { name: data, from: arg1, type: bytes, max: 4, length: size }
    - { name: wild, from: '*(arg2)', type: u32 }
`);
    assert.deepEqual(run(program, 'abcdef', '2'), ['bytes: size=2 data=6162']);
    assert.deepEqual(run(program, 'abcdef', '6'), ['bytes: size=6 data=61626364…']);
    assert.deepEqual(run(program, 'abcdef', '-1'), ['bytes: size=-1 data=']);
    assert.deepEqual([onlyProbe().hits, onlyProbe().faults], [3, 3]);
  });

  test('events over the limit per second are dropped and counted, by probe and by lane', () => {
    attach('- { name: few, uprobe: { path: PROGRAM, symbol: shop_handle }, perSecond: 1 }');
    const runs = 5;
    let seen = 0;
    for (let n = 0; n < runs; n++) seen += run(program).length;
    const { hits, limited } = onlyProbe();
    assert.equal(hits, runs);
    assert.equal(seen + limited, hits);
    assert.ok(seen >= 1);
  });

  test('a replaced program is probed again, and the previous file stays probed until the next replacement', async () => {
    const copy = join(scratch.path, 'replaced');
    copyFileSync(program, copy);
    attach(`- { name: again, uprobe: { path: ${copy}, symbol: shop_handle } }`);
    assert.equal(run(copy).length, 1);
    const replace = (): void => {
      copyFileSync(program, `${copy}.new`);
      renameSync(`${copy}.new`, copy);
    };
    replace();
    assert.deepEqual(run(copy), []);
    passCheck();
    assert.deepEqual(run(copy), ['again: ']);
    assert.equal(onlyProbe().places, 2);
    replace();
    passCheck();
    assert.deepEqual(run(copy), ['again: ']);
    assert.deepEqual([onlyProbe().places, onlyProbe().problem], [2, '']);
    assert.equal(readdirSync(sensor.pinPath).length, 2);
  });

  test('a file that is rewritten in place is checked again', () => {
    const copy = join(scratch.path, 'written');
    writeFileSync(copy, 'not a program', { mode: 0o755 });
    attach(`- { name: written, uprobe: { path: ${copy}, symbol: shop_handle } }`);
    assert.match(onlyProbe().problem, /is not a program or library/);
    copyFileSync(program, copy);
    passCheck();
    assert.deepEqual(run(copy), ['written: ']);
    assert.deepEqual([onlyProbe().places, onlyProbe().problem], [1, '']);
  });

  test('a probe that cannot be attached has a problem, and the remaining probes are attached', () => {
    const found = attach(`
- { name: absent, uprobe: { path: /nowhere/x, symbol: f } }
- { name: function, uprobe: { path: PROGRAM, symbol: shop_handl } }
- { name: usdt, usdt: { path: PROGRAM, provider: shop, name: none } }
- { name: tracepoint, tracepoint: { category: sched, name: none } }
- { name: field, tracepoint: { category: sched, name: sched_process_exit }, arguments: [{ name: x, from: none, type: u8 }] }
- { name: script, uprobe: { path: /proc/self/status, symbol: f } }
- { name: argument, usdt: { path: PROGRAM, provider: shop, name: order }, arguments: [{ name: x, from: arg3, type: u8 }] }
- { name: good, uprobe: { path: PROGRAM, symbol: shop_handle } }
`);
    const problems = Object.fromEntries(found.map(({ name, problem }) => [name, problem]));
    assert.equal(problems['absent'], '/nowhere/x does not exist');
    assert.equal(problems['function'], `${program} has no function shop_handl; it has shop_handle`);
    assert.equal(problems['usdt'], `${program} has no probe shop:none; it has shop:order`);
    assert.match(problems['tracepoint'] ?? '', /^tracepoint sched\/none: there is no such tracepoint on this kernel/);
    assert.match(problems['field'] ?? '', /^argument x: there is no field none; the fields are comm, pid, prio/);
    assert.match(problems['script'] ?? '', /is not a program or library/);
    assert.equal(problems['argument'], 'argument x: there is no arg3; the probe has 3 arguments');
    assert.equal(problems['good'], '');
    assert.deepEqual(run(program), ['good: ']);
  });

  test('a running process is probed as soon as the probe is attached', async () => {
    const child = spawn('sh', ['-c', `read line; exec ${program} "$line" 1`], { stdio: ['pipe', 'ignore', 'ignore'] });
    attach(
      '- { name: late, uprobe: { path: PROGRAM, symbol: shop_answer }, arguments: [{ name: uri, from: arg0, type: string }] }',
    );
    child.stdin?.end('/late\n');
    await once(child, 'exit');
    assert.deepEqual(eventsOf(child.pid), ['late: uri=/late']);
  });
});
