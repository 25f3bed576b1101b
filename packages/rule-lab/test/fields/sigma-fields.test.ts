/** Fields of Sigma's log sources on enriched events: each row of docs/FIELDS.md is played against its meaning. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { catalogue, eventKinds } from '@ringfence/fields';
import { compileRules, sigmaFields } from '@ringfence/rules';
import { logBatch, O } from '@ringfence/synthetic';
import type { EventView } from '@ringfence/wire';
import { matchesOf, Scene } from './scene.ts';

/** Fields and values that all hold on one event of the log source, as in a selection of a rule. */
interface Case {
  readonly source: string;
  readonly logsource: string;
  readonly play: (scene: Scene) => void;
  readonly holds: Readonly<Record<string, unknown>>;
}

const category = (name: string): string => `{ product: linux, category: ${name} }`;
const AUDITD = '{ product: linux, service: auditd }';
const SHA256 = 'ab'.repeat(32);

/** curl, started by bash in a login, whose hash is known. */
function exec(scene: Scene): void {
  Object.assign(scene.shell, { sessionId: 7, loginuid: 1000 });
  scene.hashes();
  scene.hash(undefined, '/usr/bin/curl', { sha256: SHA256, lasting: true });
  scene.start('curl -o x', scene.shell, { cwd: '/tmp', filename: '/usr/bin/curl' }, '/usr/bin/curl');
}

const connects = (scene: Scene): void =>
  scene.connect(scene.start('/usr/bin/ssh'), '8.8.8.8', 443, { localAddress: '10.0.0.5', localPort: 4000 });

/** The answer of a server that example.test is 8.8.8.8. */
function answers(scene: Scene): void {
  const question = Buffer.from('\x07example\x04test\0\0\x01\0\x01', 'latin1');
  const record = Buffer.from('c00c0001000100000e10000408080808', 'hex');
  scene.event(scene.start('/usr/bin/dig'), 'Packet', {
    ...{ family: 2, protocol: 17, port: 53, localPort: 4242, address: '10.0.0.53', localAddress: '10.0.0.5' },
    ...{
      content: 1,
      egress: true,
      payload: Buffer.concat([Buffer.from('123481800001000100000000', 'hex'), question, record]),
    },
  });
}

const sudo = (scene: Scene): void => {
  const line = 'sudo[7]: ann : TTY=pts/0 ; PWD=/home/ann ; USER=root ; COMMAND=/usr/bin/id';
  scene.logs.push(logBatch(scene, [`Jan  1 01:00:00 web ${line}`]));
};
const sshd = (scene: Scene): void => {
  const line = 'sshd[77]: Accepted publickey for ann from 203.0.113.9 port 5555 ssh2';
  scene.logs.push(logBatch(scene, [`Jan  1 01:00:00 web ${line}`]));
};

const host = (scene: Scene): string => scene.hostId;
const HOST = host(new Scene());

const cases: readonly Case[] = [
  {
    source: 'categories, auditd',
    logsource: category('process_creation'),
    play: exec,
    holds: {
      ...{ Image: '/usr/bin/curl', CommandLine: 'curl -o x', CurrentDirectory: '/tmp', ProcessName: 'curl' },
      ...{ User: 'root', LogonId: 0, TerminalSessionId: 7, ParentImage: '/usr/bin/bash', ParentCommandLine: '-bash' },
      ...{ Hashes: `SHA256=${SHA256.toUpperCase()}`, sha256: SHA256 },
      ...Object.fromEntries(['Computer', 'ComputerName', 'Hostname', 'host'].map((name) => [name, HOST])),
      ...{ 'ProcessId|gt': 1, 'ParentProcessId|gt': 1, 'ProcessGuid|re': '^[0-9a-f]{32}$' },
      ...{ 'ParentProcessGuid|re': '^[0-9a-f]{32}$', 'UtcTime|gt': 0, 'timestamp|gt': 0 },
    },
  },
  {
    source: 'file_event',
    logsource: category('file_event'),
    play: (scene) => scene.open(scene.start('/bin/x'), '/tmp/a', O.WRONLY | O.CREAT),
    holds: { TargetFilename: '/tmp/a', FileName: '/tmp/a' },
  },
  {
    source: 'file_delete',
    logsource: category('file_delete'),
    play: (scene) => scene.change(scene.start('/bin/rm'), 'UNLINK', '/tmp/a'),
    holds: { TargetFilename: '/tmp/a', FileName: '/tmp/a' },
  },
  {
    source: 'file_rename',
    logsource: category('file_rename'),
    play: (scene) => scene.change(scene.start('/bin/mv'), 'RENAME', '/tmp/a', { target: '/tmp/b' }),
    holds: { SourceFilename: '/tmp/a', TargetFilename: '/tmp/b', FileName: '/tmp/a' },
  },
  {
    source: 'file_access',
    logsource: category('file_access'),
    play: (scene) => scene.open(scene.start('/bin/cat'), '/tmp/a'),
    holds: { TargetFilename: '/tmp/a', FileName: '/tmp/a' },
  },
  {
    source: 'process_access',
    logsource: category('process_access'),
    play: (scene) => scene.access(scene.start('/usr/bin/gdb'), scene.shell),
    holds: { SourceImage: '/usr/bin/gdb', 'SourceProcessId|gt': 1, SourceUser: 'root', 'TargetProcessId|gt': 1 },
  },
  {
    source: 'network_connection',
    logsource: category('network_connection'),
    play: connects,
    holds: {
      ...{ Protocol: 'tcp', Initiated: 'true', SourceIp: '10.0.0.5', SourcePort: 4000, SourceIsIpv6: 'false' },
      ...{ DestinationIp: '8.8.8.8', DestinationPort: 443, DestinationIsIpv6: 'false' },
      ...{ src_ip: '10.0.0.5', src_port: 4000, dst_ip: '8.8.8.8', dst_port: 443 },
    },
  },
  {
    source: 'network_connection',
    logsource: category('network_connection'),
    play: answers,
    holds: { DestinationHostname: 'example.test' },
  },
  {
    source: 'dns_query',
    logsource: category('dns_query'),
    play: answers,
    holds: {
      ...{ QueryName: 'example.test', query: 'example.test', record_type: 'A', qtype_name: 'A' },
      ...{ QueryResults: '8.8.8.8', answer: '8.8.8.8', answers: '8.8.8.8', QueryStatus: 'NOERROR' },
      ...{ response_code: 'NOERROR', src_ip: '10.0.0.5', dst_ip: '10.0.0.53' },
    },
  },
  {
    source: 'auditd',
    logsource: AUDITD,
    play: exec,
    holds: {
      ...{ type: 'EXECVE', a0: 'curl', a1: '-o', exe: '/usr/bin/curl', comm: 'curl', proctitle: 'curl -o x' },
      ...{ cwd: '/tmp', name: '/usr/bin/curl', path: '/usr/bin/curl', SYSCALL: 'execve', syscall: 'execve' },
      ...{ success: 'yes', res: 'success', uid: 0, euid: 0, auid: 1000, gid: 0, UID: 'root', EUID: 'root', ses: 7 },
      ...{ 'pid|gt': 1, 'ppid|gt': 1, nametype: 'NORMAL' },
    },
  },
  {
    source: 'auditd',
    logsource: AUDITD,
    play: (scene) => scene.start('systemctl stop auditd'),
    holds: { type: 'SERVICE_STOP', unit: 'auditd' },
  },
  {
    source: 'auditd',
    logsource: AUDITD,
    play: (scene) => scene.change(scene.start('/bin/chmod'), 'CHMOD', '/tmp/a', { mode: 0o755, result: -13 }),
    holds: { type: 'PATH', name: '/tmp/a', mode: 0o755, exit: 'EACCES', success: 'no' },
  },
  {
    source: 'auditd',
    logsource: AUDITD,
    play: (scene) => scene.change(scene.start('/bin/chown'), 'CHOWN', '/tmp/a', { uid: 5, gid: 6 }),
    holds: { type: 'PATH', ouid: 5, ogid: 6 },
  },
  {
    source: 'auditd',
    logsource: AUDITD,
    play: (scene) => scene.shellLine(scene.shell, 'unset HISTFILE'),
    holds: { type: 'TTY', data: 'unset HISTFILE' },
  },
  { source: 'auditd', logsource: AUDITD, play: connects, holds: { daddr: '8.8.8.8', saddr: '8.8.8.8' } },
  {
    source: 'auditd',
    logsource: AUDITD,
    play: sshd,
    holds: { type: 'USER_LOGIN', addr: '203.0.113.9', laddr: '203.0.113.9' },
  },
  { source: 'auditd', logsource: AUDITD, play: sudo, holds: { type: 'USER_CMD', acct: 'root' } },
  {
    source: 'services',
    logsource: '{ product: linux, service: sudo }',
    play: sudo,
    holds: {
      ...{
        'message|contains': 'COMMAND=',
        User: 'ann',
        user: 'ann',
        user_name: 'ann',
        USER: 'root',
        COMMAND: '/usr/bin/id',
      },
      ...{ PWD: '/home/ann', TTY: 'pts/0', program: 'sudo', process: 'sudo', deviceProcessName: 'sudo', pid: 7 },
      ...{ host: HOST, hostname: HOST, ComputerName: HOST, 'timestamp|gt': 0 },
    },
  },
  {
    source: 'services',
    logsource: '{ product: linux, service: sshd }',
    play: sshd,
    holds: { client_ip: '203.0.113.9', src_ip: '203.0.113.9', SourceIp: '203.0.113.9' },
  },
];

/** Returns the fields that no event of the case has, each asked by a rule of its own. */
function missed({ logsource, play, holds }: Case): string[] {
  const names = Object.keys(holds);
  const rule = (name: string): string =>
    `title: "${name}"\nlogsource: ${logsource}\ndetection:\n  sel: { ${JSON.stringify(name)}: ${JSON.stringify(holds[name])} }\n  condition: sel\n`;
  const set = compileRules<EventView>({
    sources: [{ name: 'sigma.yml', text: names.map(rule).join('---\n') }],
    catalogue,
    kinds: eventKinds,
  });
  assert.deepEqual(
    set.diagnostics.map(({ message, item }) => `${item}: ${message}`),
    [],
  );
  const scene = new Scene();
  play(scene);
  const matched = new Set(matchesOf(scene, set).map(([name]) => name));
  return names.filter((name) => !matched.has(name));
}

describe("Sigma's fields", () => {
  for (const [index, example] of cases.entries())
    test(`${example.source}, event ${index + 1}: have Sigma's values`, () => assert.deepEqual(missed(example), []));

  test('are each defined, and each definition is played against an event', () => {
    const rows = sigmaFields();
    assert.deepEqual(
      rows.filter(({ there, here }) => (there === '') !== (here === '')),
      [],
    );
    const played = new Set(
      cases.flatMap(({ source, holds }) => Object.keys(holds).map((name) => `${source} ${name.split('|')[0]}`)),
    );
    const available = rows.filter(({ here }) => here !== '').map(({ source, field }) => `${source} ${field}`);
    assert.deepEqual(
      available.filter((row) => !played.has(row)),
      [],
      'no event is expected to have a value of these',
    );
  });
});
