/**
 * Complete attacks that need several machines, an hour or a login, on simulated hosts with the rules of the scripts.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Machine, TestFleet } from '@ringfence/detector/test/fleet';
import { alertReason, incidentTitle, joinReason, storyLines } from '@ringfence/incident-text';
import { O, type SyntheticProcess } from '@ringfence/synthetic';
import { type Event, type Incident, LANE, u64FromBigInt } from '@ringfence/wire';

const RULES = readFileSync(join(import.meta.dirname, 'rules.yaml'), 'utf8');
const WRITE = O.WRONLY | O.CREAT;
const ATTACKER = '198.51.100.7';
const MINUTE = 60_000_000;
let sequence = 0;

async function incidentsOf(machines: readonly Machine[]): Promise<Incident[]> {
  const fleet = new TestFleet({ rules: RULES });
  for (const { host } of machines) fleet.feed(host, [host.batch()]);
  await fleet.run();
  return fleet.incidents.filter(({ state }) => state !== 'merged');
}

/** Appends the journal line of sshd about a login. */
function logSshLogin(
  machine: Machine,
  process: SyntheticProcess,
  outcome: 'success' | 'failure',
  fingerprint = '',
  port = 41_000,
): void {
  const text = Buffer.from(outcome === 'success' ? 'Accepted' : 'Failed password');
  const login = { category: 'authentication', action: 'ssh-login', outcome, user: '', targetUser: 'root', fingerprint };
  const source = { sourceAddress: ATTACKER, sourcePort: port, method: fingerprint === '' ? 'password' : 'publickey' };
  const absent = { command: '', workingDirectory: '', tty: '' };
  const line = { origin: 'journald', path: 'ssh.service', offset: -1, program: 'sshd', pid: process.tgid };
  const { host } = machine;
  host.append({
    lane: LANE.log,
    cpu: 0,
    sequence: ++sequence,
    ktime: host.ktime,
    late: false,
    tgid: process.tgid,
    tid: process.tgid,
    start: process.startBytes,
    cgroup: u64FromBigInt(0n),
    execId: process.execId,
    body: {
      'ringfence.Log': { ...line, message: { bytes: text, length: text.length }, ...login, ...source, ...absent },
    },
  } as unknown as Event);
  host.ktime += host.step;
}

const tactics = ({ stages }: Incident): string[] => stages.map(({ tactic }) => tactic);
const rules = ({ alerts }: Incident): string[] => alerts.map(({ rule }) => rule);
const reasonsOf = ({ alerts }: Incident): string[] => alerts.map(alertReason);

function fetchAndRun({ host }: Machine, shell: SyntheticProcess, path = '/tmp/x'): SyntheticProcess {
  host.open(host.spawn(shell, '/usr/bin/curl'), path, WRITE);
  return host.spawn(shell, path);
}

/** Starts a shell below a web server and returns it. */
function webShell(machine: Machine): SyntheticProcess {
  const { host } = machine;
  return host.spawn(host.spawn(host.init, '/usr/sbin/httpd'), '/bin/sh');
}

function guessPasswords(machine: Machine, times: number): void {
  const { host, sshd } = machine;
  for (let i = 0; i < times; i++) {
    const session = host.spawn(sshd, '/usr/lib/openssh/sshd-session');
    logSshLogin(machine, session, 'failure', '', 40_000 + i);
    host.exit(session);
  }
}

describe('attacks on simulated hosts', () => {
  test('guessed SSH passwords, a login and a cron job are one incident', async () => {
    const machine = new Machine(1);
    const { host } = machine;
    guessPasswords(machine, 6);
    const shell = machine.login(ATTACKER, 41_000);
    const admin = machine.login('10.0.0.9', 42_000);
    host.open(shell, '/etc/cron.d/update', WRITE);
    // The session of another user must not belong to the incident.
    host.open(admin, '/root/.ssh/id_ed25519');
    const [incident, ...more] = await incidentsOf([machine]);
    assert.deepEqual(more, []);
    assert.ok(incident !== undefined);
    assert.deepEqual(tactics(incident), ['credential-access', 'persistence']);
    assert.deepEqual(rules(incident), ['Password guessed', 'Cron job written']);
    assert.deepEqual(
      reasonsOf(incident).map((reason) => reason.replace(/;.*/, '')),
      ['opened this incident', `its session came from ${ATTACKER}, from where "Password guessed" was raised`],
    );
  });

  test('a log line that imitates sshd links no alerts', async () => {
    const machine = new Machine(1);
    const { host } = machine;
    const logger = host.spawn(machine.login('10.0.0.9', 42_000), '/usr/bin/logger');
    for (let i = 0; i < 6; i++) logSshLogin(machine, logger, 'failure', '', 40_000 + i);
    host.open(machine.login(ATTACKER, 41_000), '/etc/cron.d/update', WRITE);
    assert.deepEqual(await incidentsOf([machine]), []);
  });

  test('an attack over three hosts, from a web shell by SSH to a database and a backup server, is one incident', async () => {
    const [web, db, backup] = [new Machine(1), new Machine(2), new Machine(3)];
    const shell = webShell(web);
    web.ssh(shell, db, 41_000);
    db.wait(MINUTE);
    const dbShell = db.login(web.address, 41_000);
    db.host.open(dbShell, '/root/.ssh/id_ed25519');
    db.ssh(dbShell, backup, 42_000);
    backup.wait(2 * MINUTE);
    const backupShell = backup.login(db.address, 42_000);
    backup.host.open(backupShell, '/etc/cron.d/update', WRITE);
    const [incident, ...more] = await incidentsOf([web, db, backup]);
    assert.deepEqual(more, []);
    assert.ok(incident !== undefined);
    assert.deepEqual(incident.hosts, ['host-1', 'host-2', 'host-3']);
    assert.deepEqual(tactics(incident), ['initial-access', 'lateral-movement', 'credential-access', 'persistence']);
    assert.deepEqual(
      new Set(rules(incident)),
      new Set(['Web server started a shell', 'Logged in elsewhere', 'Private key read', 'Cron job written']),
    );
    assert.equal(incident.severity, 'critical');
    assert.match(incidentTitle(incident), /, on 3 hosts$/);
    for (const detail of ['tcp 10.0.0.1:41000 → 10.0.0.2:22', 'tcp 10.0.0.2:42000 → 10.0.0.3:22'])
      assert.ok(
        storyLines(incident).some((line) => line.includes(`the connection ${detail} was seen from both ends`)),
        detail,
      );
  });

  test('logins with the same stolen key on two hosts without a connection are one incident', async () => {
    const machines = [new Machine(1), new Machine(2)] as const;
    for (const [i, machine] of machines.entries()) {
      const session = machine.host.spawn(machine.sshd, '/usr/lib/openssh/sshd-session');
      logSshLogin(machine, session, 'success', 'SHA256:stolen', 41_000 + i);
      const shell = machine.host.spawn(session, '/bin/bash');
      if (i === 0) machine.host.open(shell, '/etc/shadow');
      else machine.host.open(shell, '/root/.ssh/authorized_keys', WRITE);
      machine.wait(MINUTE);
    }
    const [incident, ...more] = await incidentsOf(machines);
    assert.deepEqual(more, []);
    assert.ok(incident !== undefined);
    assert.deepEqual(
      [incident.hosts, tactics(incident)],
      [
        ['host-1', 'host-2'],
        ['credential-access', 'persistence'],
      ],
    );
    const reasons = incident.joined.map(joinReason);
    assert.match(reasons[0] ?? '', /^both hosts were entered with the same key SHA256:stolen$/);
  });

  test('a slow attack with a step every twenty minutes is one incident with a lower score', async () => {
    const [slow, fast] = [new Machine(1), new Machine(2)];
    for (const [machine, pause] of [
      [slow, 20 * MINUTE],
      [fast, 0],
    ] as const) {
      const { host } = machine;
      const shell = webShell(machine);
      const steps = [
        () => host.open(shell, '/root/.ssh/id_ed25519'),
        () => void fetchAndRun(machine, shell),
        () => host.open(shell, '/etc/cron.d/update', WRITE),
      ];
      for (const step of steps) {
        for (let waited = 0; waited < pause; waited += MINUTE) host.tick(60);
        step();
      }
    }
    const incidents = await incidentsOf([slow, fast]);
    assert.deepEqual(incidents.map(({ hostId }) => hostId).sort(), ['host-1', 'host-2']);
    const [slowIncident, fastIncident] = incidents.toSorted((a, b) => (a.hostId < b.hostId ? -1 : 1)) as [
      Incident,
      Incident,
    ];
    for (const incident of [slowIncident, fastIncident]) {
      assert.deepEqual(tactics(incident), [
        'initial-access',
        'credential-access',
        'command-and-control',
        'persistence',
      ]);
      assert.equal(incident.alerts.length, 4);
    }
    assert.equal(slowIncident.lastSeen - slowIncident.firstSeen > 59 * MINUTE, true);
    assert.ok(slowIncident.score < fastIncident.score, `${slowIncident.score} ${fastIncident.score}`);
  });

  test('two concurrent attacks by separate workers of one web server are separate incidents', async () => {
    const machine = new Machine(1);
    const { host } = machine;
    const shells = [webShell(machine), webShell(machine)];
    for (const shell of shells) fetchAndRun(machine, shell, `/tmp/${shell.tgid}`);
    for (const shell of shells) host.open(shell, '/etc/cron.d/update', WRITE);
    const incidents = await incidentsOf([machine]);
    assert.equal(incidents.length, 2);
    for (const incident of incidents) {
      assert.deepEqual(tactics(incident), ['initial-access', 'command-and-control', 'persistence']);
      const pids = new Set(incident.processes.map(({ pid }) => pid));
      assert.equal(shells.filter(({ tgid }) => pids.has(tgid)).length, 1);
    }
  });

  test('an hour of administration on ten hosts with unrelated alerts is no incident', async () => {
    const machines = Array.from({ length: 10 }, (_, i) => new Machine(i + 1));
    for (const [i, machine] of machines.entries()) {
      const { host } = machine;
      const shell = machine.login('10.0.0.200', 41_000);
      for (const program of ['/usr/bin/id', '/usr/bin/uname', '/usr/bin/tar']) host.spawn(shell, program);
      if (i < 9) machine.ssh(shell, machines[i + 1] as Machine, 43_000);
      host.tick(360);
      host.open(machine.login('10.0.0.201', 44_000), '/etc/cron.d/backup', WRITE);
      guessPasswords(machine, 2);
    }
    assert.deepEqual(await incidentsOf(machines), []);
  });
});
