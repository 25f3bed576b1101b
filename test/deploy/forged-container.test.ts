import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { EventDocument } from '@ringfence/fields';
import { cgroupRoot } from '../e2e/lib/container.ts';
import { Installation } from '../e2e/lib/program.ts';
import { until } from '../e2e/lib/wait.ts';
import { skip } from './lib/engine.ts';
import { Runc } from './lib/runc.ts';

const NOBODY = 65_534;
/** An id that no runtime knows. */
const idOf = (byte: string): string => byte.repeat(32);

describe('a cgroup with the name that Docker gives to a container', { skip }, () => {
  let home: Installation;
  before(async () => {
    home = new Installation(['detector.profile=hunt']);
    await home.up();
  });
  after(async () => home?.[Symbol.asyncDispose]());

  const linesOf = async (...args: string[]): Promise<string[]> =>
    (await home.output([...args, '--json', '--limit', '1000'])).split('\n').filter(Boolean);

  test('leaves a process of the host under the rules of the host, and raises an alert', async () => {
    const name = `docker-${idOf('fa')}.scope`;
    const cgroup = join(cgroupRoot(), name);
    const cronFile = `/etc/cron.d/rf-test-${process.pid}`;
    mkdirSync(cgroup);
    try {
      const script = `echo $$ > ${cgroup}/cgroup.procs; echo '# nothing' > ${cronFile}`;
      assert.equal(spawnSync('/bin/sh', ['-c', script]).status, 0);
      await until('the alerts', async () => {
        const rules = (await linesOf('alerts')).map((line) => (JSON.parse(line) as { rule: string }).rule);
        assert.ok(!rules.includes('Cron job written in a container'));
        return rules.includes('Cron job written');
      });
      // The name alone is reported once no runtime can still be creating the container.
      spawnSync('/bin/sh', ['-c', `echo $$ > ${cgroup}/cgroup.procs; exec sleep 1`]);
      const [finding = ''] = await until('the alert of the name', async () => {
        const alerts = await linesOf('alerts', '--where', 'rule = "Cgroup named like a container"');
        return alerts.length > 0 && alerts;
      });
      assert.ok(finding.includes(`/${name}`), finding);
    } finally {
      rmSync(cronFile, { force: true });
      rmdirSync(cgroup);
    }
  });

  test('raises an alert if a user has made it and entered it with namespaces of its own', async () => {
    const delegated = join(cgroupRoot(), `rf-user-${process.pid}`);
    const name = `docker-${idOf('fc')}.scope`;
    for (const cgroup of [delegated, join(delegated, 'session')]) {
      mkdirSync(cgroup);
      for (const path of [cgroup, join(cgroup, 'cgroup.procs')]) chownSync(path, NOBODY, NOBODY);
    }
    try {
      const enter = `mkdir ${delegated}/${name}; echo $$ > ${delegated}/${name}/cgroup.procs`;
      const attack = `${enter}; exec unshare --user --net sleep 1`;
      const user = `setpriv --reuid ${NOBODY} --regid ${NOBODY} --clear-groups /bin/sh -c '${attack}'`;
      const script = `echo $$ > ${delegated}/session/cgroup.procs; exec ${user}`;
      assert.equal(spawnSync('/bin/sh', ['-c', script]).status, 0);
      const [alert = ''] = await until('the alert of the container', async () => {
        const alerts = await linesOf('alerts', '--where', 'rule = "Container that no runtime knows"');
        return alerts.length > 0 && alerts;
      });
      assert.ok(alert.includes(`/${name}`), alert);
    } finally {
      for (const cgroup of [name, 'session', '.']) rmdirSync(join(delegated, cgroup));
    }
  });

  test('is still a container if a runtime made it, although nothing describes it', async () => {
    await using runc = new Runc();
    const id = idOf('fb');
    runc.setLifetime(200);
    runc.configure((spec) => {
      const { linux } = spec as unknown as { readonly linux: object };
      return Object.assign(spec, { linux: { ...linux, cgroupsPath: `/docker-${id}.scope` } });
    });
    await runc.run('named');
    const where = `event.action = exec and process.executable = "${runc.sleeper}"`;
    const [line = ''] = await until('the execution', async () => {
      const lines = await linesOf('events', '--where', where);
      return lines.length > 0 && lines;
    });
    const exec = JSON.parse(line) as EventDocument;
    assert.deepEqual([exec['container.id'], exec['container.runtime']], [id, 'docker']);
  });
});
