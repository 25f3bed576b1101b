import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { EventDocument } from '@ringfence/schema';
import { Installation } from '../e2e/lib/program.ts';
import { until } from '../e2e/lib/wait.ts';
import { Engine, skip } from './lib/engine.ts';

const IMAGE = 'registry.example/shop/web:2';

describe('containers of an engine on this host', { skip }, () => {
  let engine: Engine;
  let home: Installation;

  before(async () => {
    engine = await Engine.start();
    engine.importBase(IMAGE);
    home = new Installation([`collector.dockerRoots=${engine.dataRoot}`]);
    await home.up();
  });
  after(async () => {
    await home?.[Symbol.asyncDispose]();
    await engine?.[Symbol.asyncDispose]();
  });

  /** Of a shell in whose arguments there is `mark`. */
  const execOf = (mark: string, and = ''): Promise<EventDocument> =>
    until(`the execution of ${mark}`, async () => {
      const where = `event.action = exec and process.executable endswith sh and process.command_line contains ${mark}${and}`;
      const [line = ''] = (await home.output(['events', '--json', '--where', where])).split('\n');
      return line !== '' && (JSON.parse(line) as EventDocument);
    });

  test('have their id, name, image and labels from their first event on', async () => {
    const mark = `rf-first-${process.pid}`;
    const args = ['--name', 'web-1', '--label', 'tier=front', '--network', 'none', IMAGE, '/bin/sh', '-c', `: ${mark}`];
    engine.output('run', ...args);
    const exec = await execOf(mark, ' and container.labels[tier] = front');
    assert.deepEqual(
      ['id', 'name', 'image.name', 'runtime', 'security_context.privileged'].map((name) => exec[`container.${name}`]),
      [engine.output('inspect', '--format', '{{.Id}}', 'web-1'), 'web-1', IMAGE, 'docker', false],
    );
  });

  test('have them for a program that is run in them later', async () => {
    const mark = `rf-later-${process.pid}`;
    engine.output('run', '-d', '--name', 'web-2', '--network', 'none', IMAGE, 'sleep', '600');
    engine.output('exec', 'web-2', '/bin/sh', '-c', `: ${mark}`);
    const exec = await execOf(mark);
    assert.deepEqual([exec['container.name'], exec['container.image.name']], ['web-2', IMAGE]);
  });

  test('are what a rule about a shell in a container is about', async () => {
    const alerts = await until('the alert', async () => {
      const where = 'rule = "Suspicious Process Execution" and container.name = web-2';
      const text = await home.output(['alerts', '--json', '--where', where]);
      return text !== '' && text;
    });
    assert.match(alerts, /shop\/web/);
  });
});
