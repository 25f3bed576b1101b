/* Plays an attacker who has taken over one process of an `up` with two users: runs code as its user. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { kafkaMissing } from '@ringfence/dev-servers';
import { loadHostId } from '@ringfence/identity/local';
import type { Status } from '@ringfence/runtime/status';
import { readable } from '@ringfence/testkit';
import { compileProgram } from '@ringfence/testkit/sensor';
import { SmallFleet } from './lib/fleet.ts';
import { Installation, MAIN, Running, SENSOR_USER, SERVICES_USER, TWO_USERS } from './lib/program.ts';
import { skip as programSkip } from './lib/root.ts';
import { until } from './lib/wait.ts';

const idOf = (user: string): number => Number(spawnSync('id', ['-u', user], { encoding: 'utf8' }).stdout);
const SERVICES_UID = idOf(SERVICES_USER);
const SENSOR_UID = idOf(SENSOR_USER);
const skip = programSkip || ((SERVICES_UID === 0 || SENSOR_UID === 0) && 'there is no user nobody or daemon');

const DEBUG_SIGNALS = ['SIGUSR1', 'SIGUSR2', 'SIGQUIT'].map((name) =>
  spawnSync('kill', ['-l', name.slice(3)], { encoding: 'utf8' }).stdout.trim(),
);
const ALL_SIGNALS = Array.from({ length: 64 }, (_, index) => String(index + 1));
/** Files that Node or the kernel would write about a process. */
const DUMPS = /^(report\.|Heap|core|.*\.heap|.*\.cpuprofile|node_trace)/;

/** Compile cache of both users: the default one belongs to root, so each start would strip the types of all sources. */
const compileCache = mkdtempSync(join(tmpdir(), 'rf-compiled-'));
chmodSync(compileCache, 0o777);
after(() => rmSync(compileCache, { recursive: true, force: true }));

function installation(settings: readonly string[] = []): Installation {
  const home = new Installation([...TWO_USERS, ...settings]);
  chmodSync(home.dir, 0o755);
  home.env['NODE_COMPILE_CACHE'] = compileCache;
  return home;
}

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

const gidOf = (user: string): number => Number(spawnSync('id', ['-g', user], { encoding: 'utf8' }).stdout);

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
    home = installation();
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

describe('the start of up with two users', { skip }, () => {
  test('refuses settings, rules, policies and probes that a user other than root could change, and names the command', async (t) => {
    await using home = installation();
    const folder = join(home.dir, 'content');
    mkdirSync(folder);
    const file = join(folder, 'one.yaml');
    writeFileSync(file, '[]\n');
    const config = join(home.dir, 'settings.yaml');
    writeFileSync(config, '{}\n');
    const start = (...settings: readonly string[]): Promise<string> =>
      home.run(['up', ...settings.flatMap((text) => ['--set', text])]).then(({ code, stderr }) => {
        assert.equal(code, 1, stderr);
        return stderr;
      });
    for (const setting of ['detector.rules', 'responder.policies', 'collector.probes.custom']) {
      chownSync(file, SERVICES_UID, 0);
      assert.match(
        await start(`${setting}=${folder}`),
        new RegExp(`${setting}: .*belongs to user ${SERVICES_UID}, not to root; chown -h root ${file}`),
      );
      chownSync(file, 0, 0);
      chmodSync(folder, 0o777);
      assert.match(await start(`${setting}=${folder}`), /is writable by every user; chmod go-w/);
      chmodSync(folder, 0o755);
    }
    chownSync(config, SERVICES_UID, 0);
    const { stderr } = await home.run(['config', 'show', '--config', config], { bare: true });
    assert.match(stderr, new RegExp(`belongs to user ${SERVICES_UID}, not to root.*\n?.*chown -h root ${config}`));
    t.diagnostic('a process of another user with a capability is held to the same');
    const capable = [
      '--reuid',
      SERVICES_USER,
      '--clear-groups',
      '--inh-caps=-all,+sys_ptrace',
      '--ambient-caps=-all,+sys_ptrace',
      '--',
    ];
    const show = (prefix: readonly string[]): string => {
      const command = [
        readable(process.execPath),
        '--conditions=@ringfence/source',
        readable(MAIN),
        'config',
        'show',
        '--config',
        config,
      ];
      return spawnSync('setpriv', [...prefix, ...command], { encoding: 'utf8', env: { ...process.env, ...home.env } })
        .stderr;
    };
    assert.match(show(capable), /belongs to user \d+, not to root/);
    assert.equal(show(capable.map((word) => word.replace(',+sys_ptrace', ''))), '');
  });

  test('works where root’s home is closed and there is no settings file', {
    skip: existsSync('/etc/ringfence/ringfence.yaml') && 'this machine has settings',
  }, async () => {
    await using home = installation();
    const closed = join(home.dir, 'home-of-root');
    mkdirSync(closed, { mode: 0o700 });
    const settings = home.settings.flatMap((text) => ['--set', text]);
    const up = home.start(['up', ...settings], { bare: true, env: { HOME: closed } });
    await up.says('Ctrl-C stops');
    assert.equal((await up.stop()).code, 0, up.stderr);
    home.assertClean();
  });

  test('takes over an installation of one user: its host id stays, its pins are removed, and the sensor gets a new key', async (t) => {
    await using home = installation();
    const hostId = loadHostId(home.stateDir);
    const oldKey = createPublicKey(readFileSync(join(home.stateDir, 'keys/agent.pem'), 'utf8'));
    mkdirSync(join(home.pinPath, 'left'), { recursive: true });
    for (const path of [home.stateDir, home.pinPath, join(home.pinPath, 'left')]) chownSync(path, SERVICES_UID, 0);
    for (const name of readdirSync(home.stateDir, { recursive: true, encoding: 'utf8' }))
      chownSync(join(home.stateDir, name), SERVICES_UID, 0);
    const up = await home.up();
    assert.ok(!readdirSync(home.pinPath).includes('left'));
    assert.equal(statSync(home.pinPath).uid, SENSOR_UID);
    assert.equal(readFileSync(join(home.sensorStateDir, 'host-id'), 'utf8').trim(), hostId);
    const key = createPublicKey(readFileSync(join(home.sensorStateDir, 'keys/agent.pem'), 'utf8'));
    assert.ok(!key.equals(oldKey));
    spawnSync('/bin/true', ['rf-after-upgrade']);
    const where = 'event.action = exec and process.command_line contains rf-after-upgrade';
    await until('an event that the new key has signed', async () =>
      (await home.output(['events', '--json', '--where', where])).includes('rf-after-upgrade'),
    );
    assert.equal((await up.stop()).code, 0, up.stderr);
    const again = await home.up();
    assert.ok(createPublicKey(readFileSync(join(home.sensorStateDir, 'keys/agent.pem'), 'utf8')).equals(key));
    assert.equal((await again.stop()).code, 0, again.stderr);
    t.diagnostic('the key of the second start is that of the first');
  });

  test('works as before if a unit of an earlier version starts it as `user`, and warns that both processes have one user', async () => {
    await using home = installation();
    for (const path of [home.stateDir, home.runDir, home.pinPath]) {
      mkdirSync(path, { mode: 0o700 });
      chownSync(path, SERVICES_UID, gidOf(SERVICES_USER));
    }
    const set = '-all,+bpf,+perfmon,+net_admin,+sys_ptrace,+dac_read_search';
    const settings = home.settings.flatMap((text) => ['--set', text]);
    const program = [readable(process.execPath), '--conditions=@ringfence/source', readable(MAIN)];
    const command = [...program, 'up', '--config', '/dev/null', ...settings];
    const rights = [`--bounding-set=${set}`, `--inh-caps=${set}`, `--ambient-caps=${set}`, '--no-new-privs', '--'];
    const child = spawn('setpriv', [`--reuid=${SERVICES_USER}`, '--clear-groups', ...rights, ...command], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...home.env },
    });
    await using up = new Running(child);
    await up.says('Ctrl-C stops');
    assert.match(up.stderr, /both processes run as one user.*Install the systemd unit of this version/);
    const { stdout } = await home.run(['doctor']);
    assert.match(stdout, /an attacker who takes over one process can signal the other and change its files/);
    assert.equal((await up.stop()).code, 0, up.stderr);
    home.assertClean();
  });

  test('refuses a missing or the same user for the sensor, and directories that the other user could replace', async () => {
    const other = join(mkdtempSync(join(tmpdir(), 'rf-other-')), 'sensor');
    chownSync(join(other, '..'), SERVICES_UID, 0);
    try {
      for (const [settings, message] of [
        [
          ['user=nobody'],
          /sensor\.user: there is no user nobody-sensor on this machine: useradd --system .* nobody-sensor/,
        ],
        [['user=nobody', 'sensor.user=nobody'], /sensor\.user: nobody is the user of the other process/],
        [
          [...TWO_USERS, `sensor.stateDir=${other}`],
          /must be out of reach of every user but daemon: .*belongs to user \d+/,
        ],
      ] as const) {
        await using home = new Installation(settings);
        chmodSync(home.dir, 0o755);
        const { code, stderr } = await home.run(['up']);
        assert.equal(code, 1, stderr);
        assert.match(stderr, message);
        home.assertClean();
      }
    } finally {
      rmSync(join(other, '..'), { recursive: true });
    }
  });

  test('in a fleet, keeps the signing key from the services’ user, and refuses a root key that this user has replaced', {
    skip: kafkaMissing(),
  }, async (t) => {
    await using fleet = await SmallFleet.start();
    await fleet.join();
    await using home = installation([
      'services=collector',
      'bus.driver=kafka',
      `bus.kafka.brokers=${fleet.kafka.bootstrap}`,
      'bus.kafka.partitions=2',
      'bus.kafka.tls.enabled=true',
      `control.endpoints=${fleet.endpoints}`,
    ]);
    const identity = join(home.stateDir, 'identity');
    await fleet.enrol(loadHostId(home.stateDir), 'agent', identity);
    for (const start of ['first', 'second']) {
      const up = await home.up();
      assert.equal((await up.stop()).code, 0, `${start}: ${up.stderr}`);
      const left = readdirSync(identity, { recursive: true, encoding: 'utf8' }).filter((name) =>
        name.endsWith('signing.key'),
      );
      assert.ok(left.length > 0);
      for (const name of left) assert.match(readFileSync(join(identity, name), 'utf8'), /BEGIN PUBLIC KEY/, name);
      assert.equal(statSync(join(home.sensorStateDir, 'keys/fleet.pem')).uid, SENSOR_UID);
    }
    const made = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const root = join(identity, 'current/root.pem');
    writeFileSync(root, made);
    const { code, stderr } = await home.run(['up']);
    assert.equal(code, 1, stderr);
    assert.match(stderr, /root\.pem is not the root key of the fleet that this host has joined/);
    t.diagnostic('the sensor keeps the root key of the first start');
  });
});
