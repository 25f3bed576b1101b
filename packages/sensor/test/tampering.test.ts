import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Bus, openEmbeddedBus } from '@ringfence/bus';
import { BpfLink } from '@ringfence/libbpf-ts';
import {
  type BodyOf,
  bodyOf,
  COLLECTOR_PROGRAM,
  identity,
  kernelSkip,
  readEvents,
  startTestCollector,
  TestPlace,
} from '@ringfence/testkit/agent';
import { decodeText, records, topicsWith } from '@ringfence/wire';
import { damagedHooks } from '../src/tampering/own-links.ts';
import { markSensor, pastTampering } from '../src/tampering/past-tampering.ts';

const { EPERM } = constants.errno;
const { SIGKILL, SIGSTOP } = constants.signals;
const { TamperingOperation: OPERATION, AccessOperation } = records;
const OPENS: readonly number[] = [OPERATION.TAMPERING_OBJECT_OPEN, OPERATION.TAMPERING_MAP_OPEN];
const PTRACE_SEIZE = 0x4206;
const NOBODY = 65534;

const HOLD = `
#include <errno.h>
#include <stdlib.h>
#include <sys/ptrace.h>
int main(int count, char **words) { (void)count; return ptrace(PTRACE_SEIZE, atoi(words[1]), 0, 0) ? errno : 0; }
`;

/** Replaces the program of a pinned link with itself. */
const REPLACE = `#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>
static int bpf(int command, union bpf_attr attr) { return syscall(SYS_bpf, command, &attr, sizeof(attr)); }
int main(int argc, char **argv) {
  struct bpf_link_info info = {};
  int link = bpf(BPF_OBJ_GET, (union bpf_attr){.pathname = (__u64)argv[1]});
  bpf(BPF_OBJ_GET_INFO_BY_FD, (union bpf_attr){.info = {.bpf_fd = link, .info_len = sizeof(info), .info = (__u64)&info}});
  int program = bpf(BPF_PROG_GET_FD_BY_ID, (union bpf_attr){.prog_id = info.prog_id});
  return bpf(BPF_LINK_UPDATE, (union bpf_attr){.link_update = {.link_fd = link, .new_prog_fd = program}}) != 0;
}`;

/** All tests use the same sensor, with one agent after the other. */
describe('tampering with an agent', { skip: kernelSkip() }, () => {
  let hold: string;
  let replace: string;
  let place: TestPlace;
  let busFile: string;
  before(() => {
    place = new TestPlace();
    busFile = join(place.directory, 'bus.db');
    chmodSync(place.directory, 0o755);
    hold = join(place.directory, 'hold-it');
    execFileSync('cc', ['-x', 'c', '-o', hold, '-'], { input: HOLD });
    replace = join(place.directory, 'replace-it');
    execFileSync('cc', ['-x', 'c', '-o', replace, '-'], { input: REPLACE });
  });
  after(() => place?.[Symbol.dispose]());

  /**
   * Starts an agent, calls `act` and waits until the agent is gone, then starts another one. Returns the new tampering
   * events.
   */
  async function tamper(act: (agent: ChildProcess) => Promise<void> | void): Promise<TamperingEvent[]> {
    const before = await readTampering();
    const agent = startAgent(place, busFile);
    const gone = once(agent, 'exit');
    try {
      await once(agent.stdout as NodeJS.ReadableStream, 'data');
      await act(agent);
    } catch (error) {
      agent.kill('SIGKILL');
      throw error;
    } finally {
      await gone;
    }
    return (
      await readTampering(async (bus) => (await startTestCollector(place, bus, { keepPinned: true })).close())
    ).slice(before.length);
  }

  async function readTampering(first: (bus: Bus) => Promise<void> = async () => {}): Promise<TamperingEvent[]> {
    await using bus = await openEmbeddedBus({ path: busFile });
    await bus.ensureTopics(topicsWith(1));
    await first(bus);
    return (await readEvents(bus)).flatMap((event) => {
      const body = bodyOf(event, 'Tampering');
      // These tests open pins themselves.
      return body === undefined || OPENS.includes(body.operation) ? [] : [{ ...body, by: event.tgid }];
    });
  }

  const brief = (events: readonly TamperingEvent[]) =>
    events.map(({ operation, detail, result }) => [operation, detail, result]);

  it('is reported by the next start: a kill with its sender, and the exit, but not harmless signals and reads', async () => {
    let pid = 0;
    let killer = 0;
    const all = await tamper((agent) => {
      pid = agent.pid ?? 0;
      shell(`kill -0 ${pid}; kill -CONT ${pid}; cat /proc/${pid}/environ >/dev/null`);
      assert.equal(
        statusOf(() => execFileSync(hold, [String(pid)], { uid: NOBODY, gid: NOBODY })),
        EPERM,
      );
      killer = shell(`kill -9 ${pid}`);
    });
    assert.deepEqual(brief(all), [
      [OPERATION.TAMPERING_AGENT_ACCESS, AccessOperation.ACCESS_PTRACE, -EPERM],
      [OPERATION.TAMPERING_AGENT_SIGNAL, SIGKILL, 0],
      [OPERATION.TAMPERING_AGENT_EXIT, 0, 0],
    ]);
    const [refused, kill, exit] = all as [TamperingEvent, TamperingEvent, TamperingEvent];
    assert.deepEqual([refused.uid, refused.request], [NOBODY, PTRACE_SEIZE]);
    assert.deepEqual([kill.by, kill.uid, kill.victimTgid, kill.count], [killer, 0, pid, 1]);
    assert.equal(decodeText(kill.command.bytes), 'sh');
    assert.match(decodeText(kill.executable.bytes), /^(dash|bash|sh|busybox)$/);
    assert.deepEqual([exit.by, exit.request], [pid, SIGKILL]);
    assert.match(decodeText(exit.executable.bytes), /^node/);
  });

  it('is reported once: a stop, a trace, and a detached hook, which the next start attaches again', async () => {
    const all = await tamper(async ({ pid = 0 }) => {
      shell(`kill -STOP ${pid}; kill -STOP ${pid}`);
      await stateOf(pid, 'T');
      execFileSync(hold, [String(pid)]);
      detach(place, 'link_connect4');
      assert.throws(() => detach(place, 'link_process_exit'));
      shell(`kill -9 ${pid}`);
    });
    assert.deepEqual(
      all.map(({ operation, result }) => [operation, result >= 0]),
      [
        [OPERATION.TAMPERING_AGENT_SIGNAL, true],
        [OPERATION.TAMPERING_AGENT_ACCESS, true],
        [OPERATION.TAMPERING_LINK_DETACH, true],
        [OPERATION.TAMPERING_LINK_DETACH, false],
        [OPERATION.TAMPERING_AGENT_SIGNAL, true],
        [OPERATION.TAMPERING_AGENT_EXIT, true],
        [OPERATION.TAMPERING_SENSOR_REMOVED, true],
      ],
    );
    const [stopped, traced, detached, refused, , , removed] = all as [
      TamperingEvent,
      TamperingEvent,
      TamperingEvent,
      TamperingEvent,
      TamperingEvent,
      TamperingEvent,
      TamperingEvent,
    ];
    assert.deepEqual([stopped.detail, stopped.count], [SIGSTOP, 2]);
    assert.equal(decodeText(traced.executable.bytes), 'hold-it');
    assert.deepEqual(
      [detached, refused, removed].map(({ program }) => decodeText(program.bytes)),
      ['connect4', 'process_exit', 'connect4'],
    );
    assert.deepEqual([detached.by, removed.by], [process.pid, 0]);
    assert.deepEqual(damagedHooks(place.pinPath), []);
  });

  it('is reported when the program on a hook is replaced, whether the kernel permits it or not', async () => {
    let updater = 0;
    const all = await tamper(({ pid = 0 }) => {
      const pins = ['link_connect6', 'link_process_exit'].map((pin) => join(place.pinPath, pin));
      updater = shell(`${pins.map((pin) => `${replace} ${pin}`).join('; ')}; kill -9 ${pid}`);
    });
    const updates = all.filter(({ operation }) => operation === OPERATION.TAMPERING_LINK_UPDATE);
    assert.deepEqual(
      updates.map(({ program, result }) => [decodeText(program.bytes), Math.sign(result)]),
      [
        ['connect6', 0],
        ['process_exit', -1],
      ],
    );
    assert.ok(updates.every(({ by, executable }) => by > updater && decodeText(executable.bytes) === 'replace-it'));
    assert.deepEqual(damagedHooks(place.pinPath), []);
  });

  it('is not reported for an orderly end, and the last tick is marked', async () => {
    const before = await readTampering();
    const agent = startAgent(place, busFile);
    await once(agent.stdout as NodeJS.ReadableStream, 'data');
    agent.kill('SIGTERM');
    await once(agent, 'exit');
    assert.equal((await readTampering()).length, before.length);
    await using bus = await openEmbeddedBus({ path: busFile });
    const ticks = (await readEvents(bus)).flatMap((event) => bodyOf(event, 'Tick') ?? []);
    // Each agent that ended in order sent one: the three successors of killed agents, and this agent.
    assert.equal(ticks.at(-1)?.last, true);
    assert.equal(ticks.filter(({ last }) => last).length, 4);
    assert.deepEqual(pastTampering(place.directory, { pinPath: place.pinPath, bootId: identity.bootId }, false), []);
  });

  it('is reported when the whole sensor is gone although no agent removed it', () => {
    const marker = { pinPath: place.pinPath, bootId: identity.bootId };
    markSensor(place.directory, marker);
    const [removal, ...rest] = pastTampering(place.directory, marker, false);
    assert.equal(removal?.readUInt32LE(records.TAMPERING_OPERATION), OPERATION.TAMPERING_SENSOR_REMOVED);
    assert.deepEqual(rest, []);
    assert.deepEqual(pastTampering(place.directory, { ...marker, bootId: 'another' }, false), []);
  });
});

interface TamperingEvent extends BodyOf<'Tampering'> {
  readonly by: number;
}

function startAgent(place: TestPlace, busFile: string): ChildProcess {
  const flags = ['--conditions=@ringfence/source', '--disable-warning=ExperimentalWarning'];
  return spawn(process.execPath, [...flags, COLLECTOR_PROGRAM, place.directory, place.pinPath, busFile], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** Returns the shell's pid. */
function shell(command: string): number {
  const [pid = ''] = execFileSync('/bin/sh', ['-c', `echo $$; ${command}`], { encoding: 'utf8' }).split('\n');
  return Number(pid);
}

function statusOf(run: () => unknown): number {
  try {
    run();
  } catch (error) {
    return (error as { readonly status: number }).status;
  }
  return 0;
}

function detach(place: TestPlace, pin: string): void {
  using link = BpfLink.openPinned(join(place.pinPath, pin));
  link.detach();
}

async function stateOf(pid: number, wanted: string): Promise<void> {
  while (readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0] !== wanted)
    await new Promise((resolve) => setImmediate(resolve));
}
