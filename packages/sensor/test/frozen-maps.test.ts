import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { BpfMap } from '@ringfence/libbpf-ts';
import { kernelSkip, memoryBus, startTestCollector, TestPlace } from '@ringfence/testkit/agent';
import { WRITTEN_MAPS } from '../src/pins/freeze-maps.ts';

const { EPERM } = constants.errno;

/**
 * Plays root, which finds the sensor's maps by their ids and changes them without using the pins. Prints for each id
 * the error numbers of an update, a deletion and a mapping for writing; 0: it is done.
 */
const ATTACK = `
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
static char key[4096], value[1 << 20];
static int bpf(int command, union bpf_attr attr) { return syscall(SYS_bpf, command, &attr, sizeof(attr)); }
static int error_of(long result) { return result < 0 ? errno : 0; }
int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    int map = bpf(BPF_MAP_GET_FD_BY_ID, (union bpf_attr){.map_id = atoi(argv[i])});
    union bpf_attr entry = {.map_fd = map, .key = (__u64)key, .value = (__u64)value};
    int update = error_of(bpf(BPF_MAP_UPDATE_ELEM, entry));
    int removal = error_of(bpf(BPF_MAP_DELETE_ELEM, (union bpf_attr){.map_fd = map, .key = (__u64)key}));
    void *memory = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
    printf("%s %d %d %d\\n", argv[i], update, removal, memory == MAP_FAILED ? errno : 0);
  }
  return 0;
}`;

interface Tried {
  readonly update: number;
  readonly removal: number;
  readonly mapping: number;
}

describe('maps that only the programs of the sensor write to', { skip: kernelSkip() }, () => {
  /** Returns what root achieves with each map, by the name of its pin. */
  function attack(place: TestPlace): Map<string, Tried> {
    const program = join(place.directory, 'attack');
    execFileSync('cc', ['-x', 'c', '-o', program, '-'], { input: ATTACK });
    const names = readdirSync(place.pinPath).filter((name) => name.startsWith('rf_') && !WRITTEN_MAPS.has(name));
    const ids = new Map(
      names.map((name) => {
        using map = BpfMap.openPinnedBytes(join(place.pinPath, name));
        return [String(map.info.id), name];
      }),
    );
    const lines = execFileSync(program, [...ids.keys()], { encoding: 'utf8' })
      .trim()
      .split('\n');
    return new Map(
      lines.map((line) => {
        const [id = '', ...errors] = line.split(' ');
        const [update = 0, removal = 0, mapping = 0] = errors.map(Number);
        return [ids.get(id) ?? '', { update, removal, mapping }];
      }),
    );
  }

  it('are frozen, also by the next agent: root that has their ids can’t change them', async () => {
    using place = new TestPlace();
    await using bus = await memoryBus();
    for (const keepPinned of [true, false]) {
      await using collector = await startTestCollector(place, bus, { keepPinned });
      const tried = attack(place);
      assert.ok(tried.has('rf_tamperings') && tried.has('rf_counters') && tried.has('rf_owners'));
      const changed = [...tried].filter(
        ([, { update, removal, mapping }]) => [update, removal].some((error) => error !== EPERM) || mapping === 0,
      );
      assert.deepEqual(changed, []);
      await collector.settle();
    }
  });
});
