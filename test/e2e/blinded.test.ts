import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { EventDocument } from '@ringfence/fields';
import { BpfMap, BpfObject } from '@ringfence/libbpf-ts';
import type { Status } from '@ringfence/runtime/status';
import { buildSensor } from '@ringfence/sensor/build';
import { records } from '@ringfence/wire';
import { cgroupRoot } from './lib/container.ts';
import { Installation, type Running } from './lib/program.ts';
import { skip } from './lib/root.ts';
import { until } from './lib/wait.ts';

/**
 * Plays root: writes to the sensor's maps without using its pins.
 *   blind control ID OFFSET: the map's memory, by its id: no prefix and no name is watched any more
 *   blind zero ID OFFSET SIZE: zeroes SIZE bytes of the map's memory
 *   blind keys ID: deletes every key
 *   blind open ID: opens a program
 */
const BLIND = `
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
static int bpf(int command, union bpf_attr attr) { return syscall(SYS_bpf, command, &attr, sizeof(attr)); }
int main(int argc, char **argv) {
  (void)argc;
  int is_open = !strcmp(argv[1], "open");
  int map = bpf(is_open ? BPF_PROG_GET_FD_BY_ID : BPF_MAP_GET_FD_BY_ID, (union bpf_attr){.map_id = atoi(argv[2])});
  if (map < 0) return 1;
  if (is_open) return 0;
  if (!strcmp(argv[1], "keys")) {
    char key[512];
    while (!bpf(BPF_MAP_GET_NEXT_KEY, (union bpf_attr){.map_fd = map, .next_key = (__u64)key}))
      if (bpf(BPF_MAP_DELETE_ELEM, (union bpf_attr){.map_fd = map, .key = (__u64)key})) return 2;
    return 0;
  }
  struct bpf_map_info info = {};
  bpf(BPF_OBJ_GET_INFO_BY_FD, (union bpf_attr){.info = {.bpf_fd = map, .info_len = sizeof(info), .info = (__u64)&info}});
  size_t length = ((size_t)info.max_entries * ((info.value_size + 7) & ~7) + 4095) & ~4095ul;
  char *memory = mmap(0, length, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
  if (memory == MAP_FAILED) return 3;
  char *at = memory + atoi(argv[3]);
  if (!strcmp(argv[1], "zero")) memset(at, 0, atoi(argv[4]));
  else {
    memset(at + ${records.CONTROL_WATCHED_HEADS}, 0, 8);
    *(unsigned *)(at + ${records.CONTROL_NOTHING_NAMED}) = 1;
  }
  return 0;
}`;

describe('root that blinds the sensor by its own maps', { skip }, () => {
  let home: Installation;
  let agent: Running;
  let blind: string;
  /** Offsets of the variables in .bss. */
  let offsetOf: (variable: string) => string;
  let bss = '';
  before(async () => {
    home = new Installation();
    blind = join(home.dir, 'blind');
    execFileSync('cc', ['-x', 'c', '-o', blind, '-'], { input: BLIND });
    using object = BpfObject.open(await buildSensor());
    const { variables } = object.section('.bss');
    const offsets = new Map([...variables].map(([name, { offset }]) => [name, String(offset)]));
    offsetOf = (variable) => offsets.get(variable) ?? assert.fail(variable);
    agent = await home.up();
    bss = idOf('rf_bss');
  });
  after(async () => home?.[Symbol.asyncDispose]());

  function idOf(pin: string): string {
    using map = BpfMap.openPinnedBytes(join(home.pinPath, pin));
    return String(map.info.id);
  }

  const attack = (...args: string[]): void => assert.equal(spawnSync(blind, args).status, 0, args.join(' '));

  /** Waits for tampering of this kind, and returns it. */
  const tampering = (action: string, and = ''): Promise<EventDocument> =>
    until(`${action}${and}`, async () => {
      const lines = (await home.output(['events', '--json', '--where', `event.action = ${action}${and}`])).split('\n');
      return lines.filter(Boolean).map((line) => JSON.parse(line) as EventDocument)[0];
    });

  const alertsOf = async (rule: string): Promise<number> =>
    (await home.output(['alerts', '--json', '--limit', '1000', '--where', `rule = "${rule}"`])).split('\n').length;

  /** Reads the password hashes until a read raises an alert. */
  async function assertSeesReads(): Promise<void> {
    const rule = 'Password hashes read';
    const alerts = await alertsOf(rule);
    await until('the alert of a read', async () => {
      execFileSync('/bin/cat', ['/etc/shadow']);
      return (await alertsOf(rule)) > alerts;
    });
  }

  test('by writing to the control block is reported, and the block is restored', async () => {
    attack('control', bss, offsetOf('rf_control'));
    await assertSeesReads();
    const opened = await tampering('map_open', ' and tampering.executable = blind');
    assert.equal(opened['tampering.program'], 'rf_bss');
    assert.equal((await tampering('state_restored'))['tampering.program'], 'rf_control');
    // The log has it too, for readers who do not trust this machine's rules.
    assert.match(agent.stderr, /state_restored.*rf_control.*tampering with the agent or its sensor/);
    await until('the alert', async () => (await alertsOf('Agent attacked')) > 0);
  });

  test('by writing to the interests or to the hashes of names is reported, and they are restored', async () => {
    for (const [variable, size] of [
      ['rf_interests', 2 * records.SIZEOF_INTEREST],
      ['rf_interest_ports', 2 * records.SIZEOF_INTEREST_PORTS],
    ] as const) {
      attack('zero', bss, offsetOf(variable), String(size));
      await tampering('state_restored', ' and tampering.program = rf_interests');
    }
    attack('zero', bss, offsetOf('rf_unnamed'), '512');
    await tampering('state_restored', ' and tampering.program = rf_unnamed');
    await assertSeesReads();
  });

  test('by deleting the watched paths is reported with its author, and they are restored', async () => {
    attack('keys', idOf('rf_watched'));
    const change = await tampering('map_change');
    assert.deepEqual([change['tampering.program'], change['tampering.executable']], ['rf_watched', 'blind']);
    const restored = await tampering('state_restored', ' and tampering.program = rf_watched');
    assert.ok(Number(restored['tampering.count']) > 0);
    await assertSeesReads();
  });

  test('by deleting the identities of files is reported, and they are restored', async () => {
    attack('keys', idOf('rf_files'));
    await tampering('state_restored', ' and tampering.program = rf_files');
  });

  test('by erasing the record of the tampering is reported', async () => {
    attack('zero', bss, offsetOf('rf_tampered'), '8');
    await tampering('state_restored', ' and tampering.program = rf_tampered');
  });

  test('by opening a program is reported, and is no attack', async () => {
    const { stdout } = spawnSync('bpftool', [
      '-j',
      'prog',
      'show',
      'pinned',
      join(home.pinPath, 'program_process_exec'),
    ]);
    attack('open', String((JSON.parse(String(stdout)) as { id: number }).id));
    const opened = await tampering('object_open', ' and tampering.executable = blind');
    assert.equal(opened['tampering.program'], 'process_exec');
    const attacks = ['--limit', '1000', '--where', 'rule = "Agent attacked"'];
    assert.doesNotMatch(await home.output(['alerts', '--json', ...attacks]), /object_open/);
  });

  test('by removing or renaming a pin is reported at once', async () => {
    rmSync(join(home.pinPath, 'link_connect4'));
    assert.equal((await tampering('sensor_removed'))['tampering.program'], 'connect4');
    renameSync(join(home.pinPath, 'link_connect6'), join(home.pinPath, 'link_other'));
    await tampering('sensor_removed', ' and tampering.program = connect6');
  });

  /** No hook sees the limit itself, but the open of its file names the author. */
  async function assertAuthorOfLimit(cgroup: string): Promise<void> {
    // Each cgroup has the second one; the first needs the cpu controller.
    const [file = ''] = ['cpu.max', 'cgroup.max.depth'].filter((name) => existsSync(join(cgroup, name)));
    const { pid: author } = spawnSync('/bin/sh', ['-c', `echo 90000 >${join(cgroup, file)}`]);
    if (file === 'cpu.max') await tampering('agent_limit', ' and tampering.program contains cpu.max');
    const where = `event.action = open and file.path endswith /${basename(cgroup)}/${file}`;
    await until('the open', async () => (await home.output(['events', '--json', '--where', where])).includes(file));
    const [open] = (await home.output(['events', '--json', '--where', where])).split('\n').filter(Boolean);
    assert.equal((JSON.parse(open ?? '{}') as EventDocument)['process.pid'], author);
  }

  test('by moving the agent to another cgroup, freezing or throttling that is reported', async () => {
    const cgroup = join(cgroupRoot(), `rf-test-blind-${process.pid}`);
    const pid = String((JSON.parse(await home.output(['status', '--json'])) as Status).processes[0]?.pid);
    const [, previous = '/'] = /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8')) ?? [];
    mkdirSync(cgroup);
    try {
      writeFileSync(join(cgroup, 'cgroup.procs'), pid);
      assert.equal((await tampering('agent_move'))['process.pid'], process.pid);
      writeFileSync(join(cgroup, 'cgroup.freeze'), '1');
      await until('the freeze', () => readFileSync(join(cgroup, 'cgroup.events'), 'utf8').includes('frozen 1'));
      writeFileSync(join(cgroup, 'cgroup.freeze'), '0');
      assert.equal((await tampering('agent_freeze'))['process.pid'], process.pid);
      const { pid: prlimit } = spawnSync('prlimit', ['--pid', pid, '--core=0:0']);
      await tampering('agent_limit', ' and tampering.program contains core');
      assert.equal((await tampering('agent_limit', ' and tampering.executable = prlimit'))['process.pid'], prlimit);
      if (availableParallelism() > 1) {
        execFileSync('taskset', ['--pid', '--cpu-list', '0', pid]);
        await tampering('agent_limit', ' and tampering.program = affinity');
      }
      await assertAuthorOfLimit(cgroup);
    } finally {
      writeFileSync(join(cgroupRoot(), previous, 'cgroup.procs'), pid);
      rmdirSync(cgroup);
    }
  });
});
