/**
 * The kernel's filter drops only events that no rule can match. The same script runs twice: with every event sent, and
 * with the filter that the rules produce.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bus, openEmbeddedBus } from '@ringfence/bus';
import { startCollector } from '@ringfence/collector';
import { compileDetectorRules, readRuleFiles, startDetector } from '@ringfence/detector';
import { startEnricher } from '@ringfence/enricher';
import type { Interest } from '@ringfence/interest';
import { isBpfFileSystem } from '@ringfence/libbpf-ts';
import { buildSensor } from '@ringfence/sensor/build';
import { uninstallSensor } from '@ringfence/sensor/parts';
import { createLogger } from '@ringfence/telemetry';
import { compileProgram, skip as kernelSkip } from '@ringfence/testkit/sensor';
import { createSigningKey, decode, decodeText, TOPIC, topicsWith } from '@ringfence/wire';

const BPF_FS = '/sys/fs/bpf';
const BUILT_IN = join(import.meta.dirname, '../../rules');

/**
 * Conditions that the built-in rules don't use on a host without containers: prefixes, suffixes, failed opens, file
 * changes.
 */
const RULES = `
- rule: Below a prefix
  desc: d
  condition: event.action = open and file.path startswith /run/secrets/
- rule: By its suffix
  desc: d
  condition: event.action = open and file.path endswith (/.aws/credentials, /a-name-of-more-than-thirty-two-bytes.json)
- rule: By its directory
  desc: d
  condition: file.directory = /run/watched and file.open.read = true
  output: "%file.path"
- rule: By its executable
  desc: d
  condition: event.action = open and process.name in (rf-reader, rf-absent) and not file.path startswith (/usr/, /lib, /etc/ld.so.cache)
- rule: Changed by an executable
  desc: d
  condition: event.action = chmod and proc.exepath endswith /rf-changer
- rule: Failed
  desc: d
  condition: event.action = open and event.outcome = failure and (file.name = rf-missing or file.path startswith /run/missing/)
- rule: Moved below a prefix
  desc: d
  condition: event.action = rename and file.target_path startswith /run/guarded/
- rule: Moved away by its name
  desc: d
  condition: event.action = rename and file.name = rf-guarded
- rule: Moved to a name watched for changes only
  desc: d
  condition: event.action = rename and file.target_path = /run/elsewhere/rf-account
- rule: Removed
  desc: d
  condition: event.action in (unlink, rmdir) and (file.directory = /run/guarded or file.path endswith /rf-removed)
- rule: Permissions widened
  desc: d
  condition: event.action = chmod and file.path = /run/guarded/rf-mode and file.mode = 511
- rule: Set-id anywhere
  desc: d
  condition: event.action = chmod and file.setid = true
- rule: Capability anywhere
  desc: d
  condition: event.action = setxattr and file.xattr = security.capability
- rule: Device anywhere
  desc: d
  condition: event.action = mknod and file.type in (character, block)
- rule: Splice from a read-only file
  desc: d
  condition: event.action = splice
- rule: Links
  desc: d
  condition: evt.type in (link, symlink) and (evt.arg.target in (/run/guarded/rf-mode, ../rf-pointed) or evt.arg.oldpath = /run/guarded/rf-mode)
- rule: Mounts
  desc: d
  condition: event.action = mount and mount.target = /run/guarded/mount
- rule: A watched port
  desc: d
  condition: event.action = connect and network.transport = tcp and destination.port = 5201
- rule: Served on loopback
  desc: d
  condition: event.action = accept and source.ip cidr (127.0.0.0/8) and process.name = flow
- rule: Missing executable
  desc: d
  condition: event.action = exec_failed and error.code = ENOENT and attempt.name = rf-absent
- rule: Root refused
  desc: d
  condition: event.action = credentials_failed and attempt.user.ids = 0
- rule: On the host
  desc: d
  condition: event.action = ptrace and not container.id exists
- rule: In a container
  desc: d
  condition: event.action in (unshare, seccomp) and container.id exists
- rule: By its raw path
  desc: d
  condition: event.action = open and file.raw_path startswith ../.ssh/ and file.path endswith /a-name-of-more-than-thirty-two-bytes.json
- rule: By its variable
  desc: d
  condition: event.action = exec and process.env_vars[RF_ASKED] = yes
- rule: By the variable of its process
  desc: d
  condition: event.action = open and process.env_vars[RF_ASKED] = yes and file.path startswith /run/secrets/
- rule: With capabilities before
  desc: d
  condition: event.action = unshare and process.capabilities.before.effective contains CAP_SYS_ADMIN
`;

/** $0: a directory with the programs and files to use. The script runs in its own mount namespaces. */
const SCRIPT = `
cat=$0/bin/cat
call=$0/bin/change
for port in 5200 5201 5202; do $0/bin/connect tcp4 127.0.0.1 $port; $0/bin/connect tcp6 ::1 $port; done
$0/bin/connect unix /run/nobody x
$0/bin/flow tcp4 10 10
$0/bin/access child attach
unshare --mount true
/nowhere/rf-absent
/nowhere/rf-other
"$0/plain-text"
$0/bin/credentials setuid root
mount --bind "$0/home" /root
mount -t tmpfs none /run
mount -t tmpfs none /etc/cron.d
mkdir -p /run/secrets/deep /run/watched
echo secret > /run/secrets/deep/token
echo x > /run/watched/file
echo key > "$0/plain"
echo key > /root/.ssh/id_ed25519
ln -s id_rsa /root/.ssh/alias
mount --bind "$0/plain" /root/.ssh/id_ed25519
$cat /etc/shadow /root/.ssh/id_rsa /root/.ssh/alias /root/.ssh/id_ed25519 /proc/$PPID/environ
cd /root/.aws
$cat credentials ../.ssh/../.aws/./a-name-of-more-than-thirty-two-bytes.json
reader=$0/bin/rf-reader
echo x > /run/plain
echo x > /run/plain2
$reader /run/plain /nowhere/rf-plain
RF_ASKED=yes RF_SECRET=no $cat /run/secrets/deep/token
$0/bin/rf-shell -c 'read line < /run/plain; exec "$0" /run/plain2' $reader
$cat /run/plain
$0/bin/rf-changer chmod /run/plain 600
$call chmod /run/plain 644
cd /run
$cat secrets/deep/token watched/file /run/secrets/nothing rf-missing /nowhere/rf-missing /run/missing/x /run/other
echo job > /etc/cron.d/job
mkdir -p /run/guarded/mount /run/elsewhere
echo x > /run/elsewhere/x
echo x > /run/rf-guarded
cd /run/elsewhere
$call rename ../rf-guarded ../guarded//rf-mode
$call chmod ../elsewhere/../guarded/rf-mode 777
$call fchmod /run/guarded/rf-mode 777
$call chmod /run/guarded/rf-mode 755
$call chmod x 4755
$call setxattr x security.capability
$call mknod device 20600 1 3
$call mknod fifo 10600 0 0
$call link /run/./guarded/rf-mode hard
$call symlink /run/guarded/rf-mode soft
$call symlink ../rf-pointed relative
$call symlink ../other relative2
$call as 65534 65534 splice /run/guarded/rf-mode empty
$call rename x y
echo x > z
$call rename z rf-account
$cat rf-account
$call unlink y
$call unlinkat /run/guarded rf-mode
$call unlink ./rf-removed
$call unlink soft
mount -t tmpfs none /run/guarded/mount
umount /run/guarded/mount
$call rmdir /run/guarded/./mount/
exit 0
`;

class Workspace implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'ringfence-filter-'));
  readonly pinPath = `${BPF_FS}/rf-test-${process.pid}-filter`;

  constructor() {
    for (const directory of ['bin', 'home/.ssh', 'home/.aws', 'rules'])
      mkdirSync(join(this.path, directory), { recursive: true });
    for (const [name, program] of Object.entries({ cat: 'cat', sh: 'sh', 'rf-reader': 'cat', 'rf-shell': 'sh' }))
      copyFileSync(`/bin/${program}`, join(this.path, 'bin', name));
    for (const file of ['.ssh/id_rsa', '.aws/credentials', '.aws/a-name-of-more-than-thirty-two-bytes.json'])
      writeFileSync(join(this.path, 'home', file), 'x');
    writeFileSync(join(this.path, 'plain-text'), 'x', { mode: 0o644 });
    writeFileSync(join(this.path, 'rules/rules.yaml'), RULES);
    for (const program of ['change', 'connect', 'flow', 'access', 'credentials'])
      compileProgram(program, join(this.path, 'bin', program));
    copyFileSync(join(this.path, 'bin/change'), join(this.path, 'bin/rf-changer'));
    chmodSync(this.path, 0o755);
  }

  [Symbol.dispose](): void {
    uninstallSensor(this.pinPath);
    rmSync(this.path, { recursive: true, force: true });
  }
}

interface RunResult {
  /** "rule: executable file", for the processes of the script */
  readonly alerts: readonly string[];
  readonly interest: Interest;
  /** opens by processes of the script that left the kernel */
  readonly opens: number;
  /** a variable that no rule names left the kernel */
  readonly secret: boolean;
  /** events that did not leave the kernel, by cause */
  readonly drops: Readonly<Record<string, number>>;
}

async function runScript(workspace: Workspace, opens: 'all' | 'interest'): Promise<RunResult> {
  await using bus = await openEmbeddedBus({ path: ':memory:' });
  await bus.ensureTopics(topicsWith(1));
  // Close everything even if an assertion throws: a sensor that stays attached would disturb other tests.
  await using stack = new AsyncDisposableStack();
  const key = createSigningKey();
  const enricher = await startEnricher({ bus, enrolment: { keyFor: () => key.publicKey } });
  stack.defer(() => enricher.close());
  let interest: Interest | undefined;
  const detector = await startDetector({
    bus,
    rulePaths: [BUILT_IN, join(workspace.path, 'rules')],
    watchRules: false,
    onInterest: (next) => {
      interest = next;
    },
  });
  stack.defer(() => detector.close());
  assert.ok(interest !== undefined);
  const collector = await startCollector({
    bus,
    identity: { hostId: randomUUID(), bootId: randomUUID(), key, agentVersion: 'test' },
    trustedKeys: new Map(),
    log: createLogger({ level: 'silent' }),
    interest,
    options: {
      sensorObject: await buildSensor(),
      stateDir: join(workspace.path, `state-${opens}`),
      pinPath: workspace.pinPath,
      opens,
      audit: opens === 'all' ? ['all'] : [],
    },
  });
  stack.defer(() => collector.close());
  execFileSync(
    'unshare',
    ['--mount', '--propagation', 'private', join(workspace.path, 'bin/sh'), '-c', SCRIPT, workspace.path],
    {
      stdio: 'ignore',
    },
  );
  await collector.settle();
  const { drops } = collector.stats();
  await collector.close();
  for (const group of ['enricher', 'detector']) await waitUntilConsumed(bus, group);
  const programs = join(workspace.path, 'bin/');
  return {
    alerts: await alertsBelow(bus, programs),
    opens: await opensBelow(bus, programs),
    secret: await hasSecret(bus),
    interest,
    drops,
  };
}

async function waitUntilConsumed(bus: Bus, group: string): Promise<void> {
  while ([...(await bus.lag(group)).values()].some((records) => records > 0)) await sleep(5);
}

async function alertsBelow(bus: Bus, directory: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { value } of bus.read({ topic: TOPIC.alerts })) {
    if (value === null) continue;
    const { rule, lineage, fields } = decode('Alert', value);
    if (!lineage.some(({ executable }) => executable.startsWith(directory))) continue;
    const file = fields['file.path'] ?? fields['file.name'] ?? fields['mount.target'] ?? '';
    found.push(
      `${rule}: ${lineage[0]?.executable.split('/').at(-1)} ${file.replace(/^\/proc\/\d+/, '/proc/PID')}`.trimEnd(),
    );
  }
  return found.sort();
}

async function opensBelow(bus: Bus, directory: string): Promise<number> {
  let found = 0;
  for await (const { value } of bus.read({ topic: TOPIC.events })) {
    if (value === null) continue;
    const { processes, events } = decode('EventBatch', value);
    const names = processes.map(({ executable }) => decodeText(executable));
    for (const { process, event } of events)
      if ('ringfence.Open' in event.body && names[process]?.startsWith(directory)) found++;
  }
  return found;
}

async function hasSecret(bus: Bus): Promise<boolean> {
  for await (const { value } of bus.read({ topic: TOPIC.events })) {
    if (value === null) continue;
    const { processes, events } = decode('EventBatch', value);
    const execs = events.flatMap(({ event: { body } }) => ('ringfence.Exec' in body ? [body['ringfence.Exec']] : []));
    const texts = [...processes.map(({ environment }) => environment), ...execs.map((exec) => exec.environment.bytes)];
    if (texts.some((text) => decodeText(text).includes('RF_SECRET='))) return true;
  }
  return false;
}

function skipReason(): string | false {
  return kernelSkip || (!isBpfFileSystem(BPF_FS) && `no bpf file system at ${BPF_FS}: mount -t bpf bpf ${BPF_FS}`);
}

/** Besides the opens of the script: each change that a rule matches. */
const CHANGE_ALERTS = [
  'Capability anywhere: change',
  'Changed by an executable: rf-changer',
  'Device anywhere: change',
  'Links: change /run/elsewhere/relative',
  'Links: change /run/elsewhere/soft',
  'Links: change /run/guarded/rf-mode',
  'Mounts: mount /run/guarded/mount',
  'Moved away by its name: change rf-guarded',
  'Moved below a prefix: change',
  'Moved to a name watched for changes only: change',
  'Permissions widened: change /run/guarded/rf-mode',
  'Permissions widened: change /run/guarded/rf-mode',
  'Removed: change /run/elsewhere/rf-removed',
  'Removed: change /run/guarded/mount',
  'Removed: change /run/guarded/rf-mode',
  'Set-id anywhere: change',
  'Splice from a read-only file: change',
];

/** Alerts of network events and of accesses to other processes. */
const NETWORK_ALERTS = [
  'A watched port: connect',
  'A watched port: connect',
  'On the host: access',
  'Served on loopback: flow',
];

/** Alerts of failed attempts. */
const ATTEMPT_ALERTS = [
  'Execution refused in a scratch folder: sh',
  'Root refused: credentials',
  'Missing executable: sh',
  'Privileges of root refused: credentials',
];

const OPEN_ALERTS = [
  'By its raw path: cat /root/.aws/a-name-of-more-than-thirty-two-bytes.json',
  'By its variable: cat',
  'By the variable of its process: cat /run/secrets/deep/token',
  'With capabilities before: unshare',
  'By its executable: rf-reader /nowhere/rf-plain',
  'By its executable: rf-reader /run/plain',
  'By its executable: rf-reader /run/plain2',
  'Below a prefix: cat /run/secrets/deep/token',
  'Below a prefix: cat /run/secrets/nothing',
  'Below a prefix: sh /run/secrets/deep/token',
  'By its directory: cat /run/watched/file',
  'By its suffix: cat /root/.aws/a-name-of-more-than-thirty-two-bytes.json',
  'By its suffix: cat /root/.aws/credentials',
  'Cron job written: sh /etc/cron.d/job',
  'Failed: cat /nowhere/rf-missing',
  'Failed: cat /run/missing/x',
  'Failed: cat /run/rf-missing',
  'Memory of another process read: cat /proc/PID/environ',
  'Password hashes read: cat /etc/shadow',
  'Private SSH key read: cat /root/.ssh/id_ed25519',
  'Private SSH key read: cat /root/.ssh/id_rsa',
];

describe('the filter in the kernel', { skip: skipReason() }, () => {
  test('does not change the alerts, and keeps the remaining opens and changes in the kernel', async () => {
    using workspace = new Workspace();
    const all = await runScript(workspace, 'all');
    const filtered = await runScript(workspace, 'interest');
    assert.deepEqual(filtered.alerts, all.alerts);
    assert.deepEqual(
      [...OPEN_ALERTS, ...NETWORK_ALERTS, ...ATTEMPT_ALERTS].filter((alert) => !all.alerts.includes(alert)),
      [],
    );
    const changes = all.alerts.filter((alert) => CHANGE_ALERTS.includes(alert));
    assert.deepEqual(
      changes,
      CHANGE_ALERTS,
      'each change raises an alert as often as it happened, and no other change does',
    );
    assert.notEqual(filtered.interest.openPathPrefixes, null);
    assert.deepEqual([filtered.interest.rawPaths, filtered.interest.environment.includes('RF_ASKED')], [true, true]);
    assert.deepEqual([all.secret, filtered.secret], [false, false]);
    assert.ok(
      filtered.interest.changeNames.includes('rf-account') && !filtered.interest.openNames.includes('rf-account'),
    );
    assert.deepEqual(filtered.interest.openExecutables, ['rf-absent', 'rf-changer', 'rf-reader']);
    for (const { drops } of [all, filtered]) assert.equal(drops['ring_full'] ?? 0, 0);
    assert.equal(all.alerts.filter((alert) => alert.startsWith('A watched port')).length, 2);
    assert.ok(filtered.opens < all.opens, `${filtered.opens} opens of ${all.opens}`);
    // Every connection has a flow and every lookup a datagram, so the rules name the ports.
    const frequent = (filtered.interest.wants ?? []).filter(({ kind }) => kind === 'flow' || kind === 'datagram');
    assert.deepEqual(
      frequent.filter(({ peerPorts, localPorts }) => peerPorts.length + localPorts.length === 0),
      [],
    );
    // The built-in rules match packets by names, those of DNS and of TLS.
    const packets = filtered.interest.wants?.filter(({ kind }) => kind === 'packet').map(({ form }) => form);
    assert.deepEqual([...new Set(packets)], ['dns', 'tls', 'tls-loopback']);
  });

  test('stays narrow with the built-in rules: none of them requires every open', async () => {
    const { diagnostics, interest } = compileDetectorRules(await readRuleFiles([BUILT_IN]));
    assert.deepEqual(
      diagnostics.map(({ message }) => message),
      [],
    );
    assert.deepEqual(
      interest.paths.flatMap(({ unbounded }) => unbounded),
      [],
    );
    assert.deepEqual(
      interest.paths.flatMap(({ executables }) => executables),
      [],
      'a rule by executable makes each open look up its process',
    );
    // Few processes read these, although they are near the root: crontabs, Kerberos tickets, folders of security
    // products, cameras and other devices.
    const rare =
      /^\/(etc\/((ana)?cron|audit$|clamav$|falco$|osquery$|sysmon$)|tmp\/krb5cc_|opt\/|var\/ossec$|dev\/(audio|dsp|fb|video)$)/;
    const shallow = interest.paths[0]?.prefixes.filter((prefix) => prefix.split('/').length < 4 && !rare.test(prefix));
    assert.deepEqual(shallow, [], 'a prefix near the root matches most opens of a machine');
  });
});
