import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  consumerRecords,
  createSyntheticHost,
  type LogBatchOptions,
  logBatch,
  type SyntheticHost,
} from '@ringfence/synthetic';
import { TOPIC } from '@ringfence/wire';
import { parseAlert } from '../../src/logs/parsers/alerts.ts';
import type { EnricherPipeline } from '../../src/pipeline.ts';
import { createTestEnricher, seenIn } from '../support.ts';

const FALCO = {
  hostname: 'web-1',
  output: '10:00:00.123456789: Warning Sensitive file opened for reading by non-trusted program (file=/etc/shadow)',
  output_fields: {
    'evt.time': 1_796_119_200_000_000_000,
    'fd.name': '/etc/shadow',
    'proc.cmdline': 'cat /etc/shadow',
    'proc.cwd': '/root/',
    'proc.pid': 4242,
    'user.name': 'root',
  },
  priority: 'Warning',
  rule: 'Read sensitive file untrusted',
  source: 'syscall',
  tags: ['T1555', 'container', 'filesystem', 'host', 'maturity_stable', 'mitre_credential_access'],
  time: '2026-12-01T10:00:00.123456789Z',
};
const TETRAGON = {
  process_kprobe: {
    process: {
      exec_id: 'd2ViLTE6MTIzNDU2Nzg5OjQyNDI=',
      pid: 4242,
      uid: 0,
      cwd: '/root',
      binary: '/usr/bin/cat',
      arguments: '/etc/shadow',
      flags: 'execve clone',
      start_time: '2026-12-01T10:00:00.100200300Z',
      auid: 4_294_967_295,
      tid: 4242,
    },
    function_name: 'security_file_permission',
    args: [{ file_arg: { path: '/etc/shadow', permission: '-rw-r-----' } }, { int_arg: 4 }],
    return: { int_arg: 0 },
    action: 'KPROBE_ACTION_POST',
    policy_name: 'file-monitoring-filtered',
    return_action: 'KPROBE_ACTION_POST',
  },
  node_name: 'web-1',
  time: '2026-12-01T10:00:01.123456789Z',
};

describe('an alert of another sensor', () => {
  it('of Falco has its rule, priority, user and command', () => {
    assert.deepEqual(parseAlert(JSON.stringify(FALCO)), {
      category: 'intrusion_detection',
      action: 'foreign-alert',
      provider: 'falco',
      rule: 'Read sensitive file untrusted',
      level: 'warning',
      user: 'root',
      command: 'cat /etc/shadow',
      workingDirectory: '/root/',
      process: { pid: 4242, startedAt: null },
    });
  });

  it('of Tetragon has its policy, and the process with its start', () => {
    assert.deepEqual(parseAlert(JSON.stringify(TETRAGON)), {
      category: 'intrusion_detection',
      action: 'foreign-alert',
      provider: 'tetragon',
      rule: 'file-monitoring-filtered',
      command: '/usr/bin/cat /etc/shadow',
      workingDirectory: '/root',
      process: { pid: 4242, startedAt: Date.parse('2026-12-01T10:00:00.100Z') * 1000 + 200 },
    });
  });

  it('is nothing else in JSON, whatever its values are', () => {
    const { process_kprobe: probe, ...rest } = TETRAGON;
    for (const other of [
      { process_exec: { process: probe.process }, ...rest },
      { process_kprobe: { ...probe, policy_name: '' } },
      { process_kprobe: null, process_tracepoint: [] },
      { rule: 7 },
      {},
    ])
      assert.equal(parseAlert(JSON.stringify(other)), null, JSON.stringify(other));
    for (const text of ['{', '[]', 'null', '{"rule":"a"', '\u0000{}']) assert.equal(parseAlert(text), null);
    const odd = {
      rule: 'r',
      priority: { a: 1 },
      output_fields: { 'proc.pid': -1, 'user.name': ['x'], 'proc.cmdline': 7 },
    };
    assert.deepEqual(parseAlert(JSON.stringify(odd))?.process, { pid: 0, startedAt: null });
  });
});

/** Returns the executable that each event of an alert was joined to, and what is missing. */
function joined(
  enricher: EnricherPipeline,
  host: SyntheticHost,
  alert: object,
  options: LogBatchOptions = {},
): unknown[] {
  const batch = logBatch(host, [JSON.stringify(alert)], { origin: 'http', run: nextRun++, ...options });
  const { outputs } = enricher.handle(consumerRecords(host.hostId, [batch], TOPIC.logsRaw));
  const seen = outputs.flatMap(({ value }) => seenIn(value ?? new Uint8Array()));
  return seen.map(({ executable, partial }) => [executable, partial]);
}

/** Lines of each run are numbered from 1. */
let nextRun = 1n;

describe('the process of an alert of another sensor', () => {
  const start = (): { host: SyntheticHost; enricher: EnricherPipeline; pid: number; startedAt: number } => {
    const host = createSyntheticHost();
    const enricher = createTestEnricher(host);
    const { tgid, start: at } = host.spawn(host.init, '/usr/bin/cat');
    enricher.handle(consumerRecords(host.hostId, [host.batch()]));
    return { host, enricher, pid: tgid, startedAt: Number(at / 1000n) + host.wallOffset };
  };
  const falco = (fields: object): object => ({ ...FALCO, output_fields: { ...FALCO.output_fields, ...fields } });

  it('is that with the pid and the start that the alert states', () => {
    const { host, enricher, pid, startedAt } = start();
    const stated = { 'proc.pid': pid, 'proc.pid.ts': startedAt * 1000 };
    assert.deepEqual(joined(enricher, host, falco(stated)), [['/usr/bin/cat', '']]);
  });

  it('is that with the pid at the time of the alert, if it states no start', () => {
    const { host, enricher, pid } = start();
    assert.deepEqual(joined(enricher, host, falco({ 'proc.pid': pid })), [['/usr/bin/cat', '']]);
  });

  it('is unknown if another process had the pid, or none', () => {
    const { host, enricher, pid, startedAt } = start();
    const earlier = { 'proc.pid': pid, 'proc.pid.ts': (startedAt - 60_000_000) * 1000 };
    assert.deepEqual(joined(enricher, host, falco(earlier)), [[undefined, 'process unknown']]);
    assert.deepEqual(joined(enricher, host, falco({ 'proc.pid': 99_999 })), [[undefined, 'process unknown']]);
    assert.deepEqual(joined(enricher, host, falco({ 'proc.pid': 0 })), [[undefined, '']]);
  });

  it("is read from Tetragon's own file, and from no other file", () => {
    const { host, enricher, pid } = start();
    const { start_time: _, ...process } = TETRAGON.process_kprobe.process;
    const event = { process_kprobe: { ...TETRAGON.process_kprobe, process: { ...process, pid } } };
    const own = { origin: 'file', path: '/var/log/tetragon/tetragon.log' } as const;
    assert.deepEqual(joined(enricher, host, event, own), [['/usr/bin/cat', '']]);
    assert.deepEqual(joined(enricher, host, event, { ...own, path: '/var/log/app.log' }), [[undefined, '']]);
  });
});
