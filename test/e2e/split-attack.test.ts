/* Plays an attacker who has taken over one process of an `up` with two users: runs code as its user. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Status } from '@ringfence/runtime/status';
import { compileProgram } from '@ringfence/testkit/sensor';
import type { Installation, Running } from './lib/program.ts';
import {
  gidOf,
  SENSOR_UID,
  SENSOR_USER,
  SERVICES_UID,
  SERVICES_USER,
  skip,
  twoUserInstallation,
} from './lib/two-users.ts';
import { until } from './lib/wait.ts';

const DEBUG_SIGNALS = ['SIGUSR1', 'SIGUSR2', 'SIGQUIT'].map((name) =>
  spawnSync('kill', ['-l', name.slice(3)], { encoding: 'utf8' }).stdout.trim(),
);
const ALL_SIGNALS = Array.from({ length: 64 }, (_, index) => String(index + 1));
/** Files that Node or the kernel would write about a process. */
const DUMPS = /^(report\.|Heap|core|.*\.heap|.*\.cpuprofile|node_trace)/;

/** Runs the program of the attacker as a user without capabilities, or as root, and returns its lines. */
function attack(program: string, user: string, ...words: readonly string[]): string[] {
  const asUser = [`--reuid=${user}`, `--regid=${user === 'root' ? 'root' : String(gidOf(user))}`, '--init-groups'];
  const bounded = user === 'root' ? [] : ['--inh-caps=-all', '--bounding-set=-all', '--no-new-privs'];
  // In a session of its own: SIGCONT may be sent to every process of a session.
  const { stdout, stderr } = spawnSync(
    'setsid',
    ['--wait', 'setpriv', ...asUser, ...bounded, '--', program, ...words],
    {
      encoding: 'utf8',
    },
  );
  assert.equal(stderr, '');
  const lines = stdout.split('\n').filter(Boolean);
  assert.ok(lines.length > 0);
  return lines;
}

const successes = (lines: readonly string[]): string[] => lines.filter((line) => line.endsWith(' ok'));

/** Sockets of a process that listen on TCP. */
function listeners(pid: number): string[] {
  const fds = readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return ['tcp', 'tcp6']
    .flatMap((name) => readFileSync(`/proc/${pid}/net/${name}`, 'latin1').split('\n'))
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state, , , , , , inode]) => state === '0A' && fds.includes(`socket:[${inode}]`))
    .map(([, address = '']) => address);
}

const variablesOf = (pid: number): string[] =>
  readFileSync(`/proc/${pid}/environ`, 'latin1')
    .split('\0')
    .filter(Boolean)
    .map((text) => text.split('=')[0] ?? '');

async function processesOf(home: Installation): Promise<{ readonly services: number; readonly sensor: number }> {
  const { processes } = JSON.parse(await home.output(['status', '--json'])) as Status;
  const [services, sensor] = processes;
  assert.ok(services !== undefined && sensor !== undefined);
  assert.deepEqual([services.uid, sensor.uid], [SERVICES_UID, SENSOR_UID]);
  return { services: services.pid, sensor: sensor.pid };
}

describe('an attacker in one of the two processes of up', { skip }, () => {
  let home: Installation;
  let up: Running;
  let program: string;
  let pids: { readonly services: number; readonly sensor: number };
  before(async () => {
    home = twoUserInstallation();
    program = join(home.dir, 'takeover');
    compileProgram('takeover', program);
    chmodSync(program, 0o755);
    up = await home.up([], { env: { NODE_OPTIONS: '--inspect=127.0.0.1:0', RF_SECRET: 'of-the-caller', LD_X: 'y' } });
    pids = await processesOf(home);
  });
  after(async () => {
    await home?.[Symbol.asyncDispose]();
  });

  async function assertUnharmed(): Promise<void> {
    assert.ok(up.alive, up.stderr);
    assert.deepEqual(await processesOf(home), pids);
    for (const pid of Object.values(pids)) {
      assert.deepEqual(listeners(pid), [], `process ${pid} listens`);
      const folders = [readlinkSync(`/proc/${pid}/cwd`), home.stateDir, home.sensorStateDir, home.runDir];
      for (const folder of folders)
        assert.deepEqual(
          readdirSync(folder).filter((name) => DUMPS.test(name)),
          [],
          folder,
        );
    }
  }

  test('gets no variable of the caller’s environment that is not listed, no debugger by NODE_OPTIONS, and no core dump', async () => {
    for (const pid of Object.values(pids)) {
      const variables = variablesOf(pid);
      assert.ok(variables.includes('PATH') && variables.includes('RINGFENCE_STATE_DIR'));
      assert.deepEqual(
        variables.filter(
          (name) =>
            !/^(RINGFENCE_\w+|PATH|HOME|TZ|TERM|LANG|LC_\w+|NODE_COMPILE_CACHE|MALLOC_ARENA_MAX|\w*COLOR\w*|XDG_\w+)$/.test(
              name,
            ),
        ),
        [],
      );
      assert.match(readFileSync(`/proc/${pid}/limits`, 'latin1'), /^Max core file size +0 +0 /m);
    }
    await assertUnharmed();
  });

  for (const [attacker, target] of [
    [SERVICES_USER, 'sensor'],
    [SENSOR_USER, 'services'],
  ] as const)
    test(`can send no signal to any thread of the other process: from ${attacker} to the ${target} process`, async () => {
      const lines = attack(program, attacker, 'signals', String(pids[target]), ...ALL_SIGNALS);
      assert.ok(lines.length >= 64 * 2);
      assert.deepEqual(
        lines.filter((line) => !line.endsWith(' EPERM')),
        [],
      );
      await assertUnharmed();
    });

  test('opens no debugger and gets no report, heap dump or core dump by SIGUSR1, SIGUSR2 and SIGQUIT, from the user of the process or root', async () => {
    for (const [user, pid] of [
      [SERVICES_USER, pids.services],
      [SENSOR_USER, pids.sensor],
      ['root', pids.services],
      ['root', pids.sensor],
    ] as const) {
      const lines = attack(program, user, 'signals', String(pid), ...DEBUG_SIGNALS);
      assert.deepEqual(successes(lines), lines, 'the kernel delivers these signals');
    }
    spawnSync('/bin/true', ['rf-after-signals']);
    const where = 'event.action = exec and process.command_line contains rf-after-signals';
    await until('an event after the signals', async () =>
      (await home.output(['events', '--json', '--where', where])).includes('rf-after-signals'),
    );
    await assertUnharmed();
  });

  test('can’t stop, trace, read, write, slow down or restrict the process with capabilities', async () => {
    assert.deepEqual(successes(attack(program, SERVICES_USER, 'process', String(pids.sensor))), []);
    await assertUnharmed();
  });

  test('can’t open the sensor’s maps by pin or by id, or reach any of its files; root can', async () => {
    const pins = readdirSync(home.pinPath).filter((name) => name.startsWith('rf_'));
    assert.ok(pins.includes('rf_bss') && pins.includes('rf_ring_security'));
    const maps = pins.map((name) => join(home.pinPath, name));
    assert.deepEqual(successes(attack(program, SERVICES_USER, 'pins', ...maps)), []);
    assert.deepEqual(successes(attack(program, SERVICES_USER, 'maps', 'rf_own_links')), []);
    const state = readdirSync(home.sensorStateDir, { recursive: true, encoding: 'utf8' });
    for (const name of ['host-id', 'keys/agent.pem']) assert.ok(state.includes(name), state.join());
    const files = [...state.map((name) => join(home.sensorStateDir, name)), ...maps];
    assert.deepEqual(
      successes(attack(program, SERVICES_USER, 'paths', home.sensorStateDir, home.pinPath, ...files)),
      [],
    );
    for (const path of files) assert.ok(existsSync(path), path);
    assert.deepEqual(successes(attack(program, 'root', 'pins', ...maps)).length, maps.length);
    await assertUnharmed();
  });

  test('can’t read the key that signs the batches, whose public key the other process has learnt', () => {
    const enrolled = readdirSync(join(home.stateDir, 'enrolled'));
    assert.deepEqual(enrolled, [`${readFileSync(join(home.stateDir, 'host-id'), 'utf8').trim()}.pem`]);
    const known = createPublicKey(readFileSync(join(home.stateDir, 'enrolled', enrolled[0] ?? ''), 'utf8'));
    const own = createPublicKey(readFileSync(join(home.sensorStateDir, 'keys/agent.pem'), 'utf8'));
    assert.ok(known.equals(own));
    for (const path of [home.sensorStateDir, join(home.sensorStateDir, 'keys/agent.pem'), home.pinPath])
      assert.deepEqual([statSync(path).uid, statSync(path).mode & 0o077], [SENSOR_UID, 0], path);
  });

  test('can’t announce a container to the sensor: its files count only if root wrote them', async () => {
    const folder = join(home.runDir, 'containers.d');
    mkdirSync(folder, { recursive: true });
    chownSync(folder, SERVICES_UID, 0);
    await until('the warning', () => /containers\.d.*is ignored|is ignored.*containers\.d/.test(up.stderr));
    rmSync(folder, { recursive: true });
  });
});
