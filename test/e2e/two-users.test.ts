/* Plays an attacker who has taken over one process of an `up` with two users: runs code as its user. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { kafkaMissing } from '@ringfence/dev-servers';
import { createAuthority, createRequest, writeIdentity } from '@ringfence/identity';
import { loadHostId } from '@ringfence/identity/local';
import { readable } from '@ringfence/testkit';
import { createSigningKey } from '@ringfence/wire';
import { SmallFleet } from './lib/fleet.ts';
import { Installation, MAIN, Running } from './lib/program.ts';
import {
  gidOf,
  SENSOR_UID,
  SERVICES_UID,
  SERVICES_USER,
  skip,
  TWO_USERS,
  twoUserInstallation,
} from './lib/two-users.ts';
import { until } from './lib/wait.ts';

/** Writes an identity for the host that an authority of the attacker has issued. */
async function writeForeignIdentity(directory: string, authorityPath: string, hostId: string): Promise<void> {
  const authority = await createAuthority(authorityPath);
  const { key, csr } = await createRequest(hostId);
  const { certificate } = await authority.issue({ csr, subject: hostId, roles: ['agent'], days: 1 });
  writeIdentity(directory, {
    certificate,
    key,
    authority: authority.certificate,
    signingKey: createSigningKey().privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    root: authority.root.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    stateKeys: '{}',
  });
}

function giveToServices(path: string): void {
  for (const name of ['', ...readdirSync(path, { recursive: true, encoding: 'utf8' })])
    lchownSync(join(path, name), SERVICES_UID, gidOf(SERVICES_USER));
}

describe('the start of up with two users', { skip }, () => {
  test('refuses settings, rules, policies and probes that a user other than root could change, and names the command', async (t) => {
    await using home = twoUserInstallation();
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
    await using home = twoUserInstallation();
    const closed = join(home.dir, 'home-of-root');
    mkdirSync(closed, { mode: 0o700 });
    const settings = home.settings.flatMap((text) => ['--set', text]);
    const up = home.start(['up', ...settings], { bare: true, env: { HOME: closed } });
    await up.says('Ctrl-C stops');
    assert.equal((await up.stop()).code, 0, up.stderr);
    home.assertClean();
  });

  test('takes over an installation of one user: its host id stays, its pins are removed, and the sensor gets a new key', async (t) => {
    await using home = twoUserInstallation();
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
    await using home = twoUserInstallation();
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
    await using home = twoUserInstallation([
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
    const root = join(identity, 'current/root.pem');
    const genuine = readFileSync(root);
    writeFileSync(root, generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }));
    const overwritten = await home.run(['up']);
    assert.equal(overwritten.code, 1, overwritten.stderr);
    assert.match(overwritten.stderr, /root\.pem has the fingerprint .*, but tls\.pem names another root key/);
    writeFileSync(root, genuine);

    t.diagnostic('with an identity of a fleet of its own, the services’ user still reaches the sensor’s process');
    const brokers = join(home.dir, 'brokers');
    cpSync(join(identity, 'current'), brokers, { recursive: true, dereference: true });
    await writeForeignIdentity(identity, join(home.dir, 'authority'), loadHostId(home.stateDir));
    for (const path of [brokers, identity]) giveToServices(path);
    const files = { ca: 'ca.pem', cert: 'tls.pem', key: 'tls.key' };
    const settings = Object.entries(files).map(([name, file]) => `bus.kafka.tls.${name}=${join(brokers, file)}`);
    const replaced = await home.run(['up', ...settings.flatMap((text) => ['--set', text])]);
    assert.equal(replaced.code, 1, replaced.stderr);
    assert.match(replaced.stderr, /root\.pem is not the root key of the fleet that this host has joined/);
    t.diagnostic('the sensor keeps the root key of the first start');
  });
});
