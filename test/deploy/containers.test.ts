import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import type { EventDocument } from '@ringfence/fields';
import type { Inventory } from '@ringfence/host-facts';
import type { ContainerPosture, Posture } from '@ringfence/posture';
import { Installation } from '../e2e/lib/program.ts';
import { until } from '../e2e/lib/wait.ts';
import { Engine, skip } from './lib/engine.ts';
import { execMarked } from './lib/events.ts';

const skipUse = existsSync('/sys/kernel/tracing/events/capability/cap_capable')
  ? false
  : 'the kernel has no tracepoint cap_capable (6.14)';
const IMAGE = 'registry.example/shop/web:2';

describe('containers of an engine on this host', { skip }, () => {
  let engine: Engine;
  let home: Installation;

  before(async () => {
    engine = await Engine.start();
    engine.importBase(IMAGE);
    home = new Installation([`collector.dockerRoots=${engine.dataRoot}`, 'detector.profile=hunt']);
    await home.up();
  });
  after(async () => {
    await home?.[Symbol.asyncDispose]();
    await engine?.[Symbol.asyncDispose]();
  });

  const execOf = (mark: string, and?: string): Promise<EventDocument> => execMarked(home, mark, and);

  test('have their id, name, image and labels in their first event', async () => {
    const mark = `rf-first-${process.pid}`;
    const args = ['--name', 'web-1', '--label', 'tier=front', '--network', 'none', IMAGE, '/bin/sh', '-c', `: ${mark}`];
    engine.output('run', ...args);
    const exec = await execOf(mark, ' and container.labels[tier] = front');
    assert.deepEqual(
      ['id', 'name', 'image.name', 'runtime', 'security_context.privileged'].map((name) => exec[`container.${name}`]),
      [engine.output('inspect', '--format', '{{.Id}}', 'web-1'), 'web-1', IMAGE, 'docker', false],
    );
  });

  test('have their image, capabilities, mounts, namespaces and start time', async () => {
    const mark = `rf-made-${process.pid}`;
    const options = [
      '--cap-drop',
      'ALL',
      '--cap-add',
      'NET_ADMIN',
      '--pid',
      'host',
      '-v',
      '/etc:/host/etc:ro',
      '-v',
      '/srv:/srv',
    ];
    engine.output('run', '--name', 'made', ...options, '--network', 'none', IMAGE, '/bin/sh', '-c', `: ${mark}`);
    const exec = await execOf(mark);
    const values = ['image.id', 'capabilities', 'mount.source', 'mount.writable', 'host_pid', 'host_network', 'entry'];
    assert.deepEqual(
      values.map((name) => exec[`container.${name}`]),
      [
        engine.output('inspect', '--format', '{{.Image}}', 'made'),
        ['CAP_NET_ADMIN'],
        ['/etc', '/srv'],
        ['/srv'],
        true,
        false,
        // In the host's pid namespace, its main program cannot be distinguished from other programs.
        undefined,
      ],
    );
    const age = Number(exec['container.duration']);
    assert.ok(age >= 0 && age < 600e9, `${age} ns`);
  });

  test('are reported for a program that is executed in them later, which is distinguished from the main program', async () => {
    const [main, later] = [`rf-own-${process.pid}`, `rf-later-${process.pid}`];
    engine.output('run', '-d', '--name', 'web-2', '--network', 'none', IMAGE, '/bin/sh', '-c', `: ${main}; sleep 600`);
    engine.output('exec', 'web-2', '/bin/sh', '-c', `sh -c ': ${later}'`);
    const [entry, exec] = [await execOf(main), await execOf(later)];
    assert.deepEqual([exec['container.name'], exec['container.image.name']], ['web-2', IMAGE]);
    assert.deepEqual([entry['container.entry'], exec['container.entry']], ['entrypoint', 'exec']);
  });

  test('are in the inventory, with their processes, sockets and mounts', async () => {
    engine.output('run', '-d', '--name', 'listed', '-v', '/srv:/data:ro', '--network', 'none', IMAGE, 'sleep', '601');
    const { processes, containers, mountNamespaces } = JSON.parse(
      await home.output(['inventory', '--json', '--container', 'listed']),
    ) as Inventory;
    const id = engine.output('inspect', '--format', '{{.Id}}', 'listed');
    assert.deepEqual(
      containers.map((container) => [container.id, container.name, container.image, container.pids]),
      [[id, 'listed', IMAGE, processes.map(({ pid }) => pid)]],
    );
    assert.deepEqual(
      processes.map(({ args, container, hidden, pidInNamespace }) => [
        args.join(' '),
        container,
        hidden,
        pidInNamespace,
      ]),
      [['sleep 601', id, false, 1]],
    );
    const data = mountNamespaces[0]?.mounts?.find(({ point }) => point === '/data');
    assert.ok(data?.options.split(',').includes('ro'), JSON.stringify(mountNamespaces));
    const table = await home.output(['inventory', '--container', id.slice(0, 12)]);
    assert.match(table, /listed .*shop\/web:2.*\n.*\/srv at \/data, read-only\n[\s\S]*sleep 601 \[listed\]/);
  });

  test('have a posture: an open container has findings, and one with the suggested flags has none', async () => {
    // Equivalent to --privileged, which fails if root itself lacks a capability.
    const unconfined = ['seccomp=unconfined', 'systempaths=unconfined', 'label=disable'].flatMap((option) => [
      '--security-opt',
      option,
    ]);
    const shared = ['--pid', 'host', '-v', '/:/host', '-v', '/var/run:/var/run'];
    const open = ['--cap-add', 'SYS_ADMIN', '--cap-add', 'SYS_PTRACE', ...unconfined, ...shared];
    engine.output('run', '-d', '--name', 'open', ...open, '--network', 'host', IMAGE, 'sleep', '602');
    const report = await posture('open', 1);
    const findings = report.findings.map(({ id, severity, what: summary }) => `${severity} ${id} ${summary}`);
    for (const expected of [
      /^critical privileged /,
      /^critical mount \/ of the host is at \/host, writable$/,
      /^critical mount .*run of the host is at .*run, writable$/,
      /^high host-pid /,
      /^high host-net /,
      /^medium root /,
      /^low writable-root /,
    ])
      assert.ok(
        findings.some((line) => expected.test(line)),
        `${expected}:\n${findings.join('\n')}`,
      );
    for (const flag of ['--cap-drop ALL', '--read-only', '--security-opt no-new-privileges'])
      assert.ok(report.flags.includes(flag), flag);

    const flags = report.flags.filter((flag) => !flag.startsWith('--volume')).flatMap((flag) => flag.split(' '));
    engine.output('run', '-d', '--name', 'closed', ...flags, '--network', 'none', IMAGE, 'sleep', '603');
    const closed = await posture('closed', null);
    // Flags cannot fix features that the kernel lacks (AppArmor, seccomp).
    const remaining = closed.findings.map(({ id }) => id).filter((id) => !['seccomp', 'confinement'].includes(id));
    assert.deepEqual(remaining, []);
    assert.equal(closed.usageKnown, false);
  });

  test('have a posture that lists their unused capabilities', { skip: skipUse }, async () => {
    const use = 'touch /tmp/mine; chown 7 /tmp/mine; exec sleep 604';
    engine.output('run', '-d', '--name', 'modest', '--network', 'none', IMAGE, '/bin/sh', '-c', use);
    const unused = await until('the chown', async () => {
      const { findings, flags } = await posture('modest', null, '--watched-for', '0');
      const summary = findings.find(({ id }) => id === 'unused-capabilities')?.what ?? '';
      return flags.includes('--cap-add CHOWN') && { summary, flags };
    });
    // SETUID, SETGID and SETPCAP, which only the runtime used at the start, count as unused.
    assert.match(unused.summary, /SETGID.*SETUID|SETUID.*SETGID/);
    assert.doesNotMatch(unused.summary, /\bCHOWN/);
    assert.ok(!unused.flags.includes('--cap-add SETUID'), unused.flags.join(' '));
  });

  const posture = async (name: string, code: number | null, ...more: string[]): Promise<ContainerPosture> => {
    const ended = await home.run(['posture', '--json', '--container', name, ...more]);
    if (code !== null) assert.equal(ended.code, code, ended.stdout + ended.stderr);
    const [container, ...unexpected] = (JSON.parse(ended.stdout) as Posture).containers;
    assert.ok(container !== undefined && unexpected.length === 0, ended.stdout);
    return container;
  };

  test('match a rule about a shell in a container', async () => {
    const alerts = await until('the alert', async () => {
      const where = 'rule = "Suspicious Process Execution" and container.name = web-2';
      const text = await home.output(['alerts', '--json', '--where', where]);
      return text !== '' && text;
    });
    assert.match(alerts, /shop\/web/);
  });
});
