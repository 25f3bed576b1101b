import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { alertReason, storyLines } from '@ringfence/incident-text';
import type { Command, Incident, Result } from '@ringfence/wire';
import { cgroupRoot, pidsIn, TestContainer } from './lib/container.ts';
import { Installation } from './lib/program.ts';
import { skip } from './lib/root.ts';
import { until } from './lib/wait.ts';

interface DemoJson {
  readonly outcome: { readonly container: string; readonly lastStepAt: number; readonly stoppedAfterMs: number | null };
  readonly incident: {
    readonly incident: Incident;
    readonly commands: readonly Command[];
    readonly results: readonly Result[];
  };
}

const STAGES = [
  'initial-access',
  'execution',
  'privilege-escalation',
  'credential-access',
  'persistence',
  'command-and-control',
];
const RULES = [
  'Shell started by a network server',
  'Downloaded file executed',
  'Reverse shell',
  'Set-user-id program raised privileges to root',
  'Password hashes read',
  'Cron job written in a container',
];

/** Returns the cgroups of demos. */
const demos = (): string[] => readdirSync(cgroupRoot()).filter((name) => name.startsWith('ringfence-demo-'));
/** Returns the mounts of the machine, without mounts in the temporary directories of other tests. */
const mountsOf = (dir: string): string[] =>
  readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .filter((line) => line.includes(` ${dir}`) || !line.includes(` ${tmpdir()}/`));

describe('the demo on the running kernel', { skip }, () => {
  test('its attack becomes one incident, only its process is killed, and the audit trail is complete; a second demo runs with a separate ringfence', async (t) => {
    await using home = new Installation();
    await using secondHome = new Installation();
    const before = { demos: demos(), mounts: mountsOf(secondHome.dir) };
    const twin = join(home.dir, 'backup-helper');
    copyFileSync('/bin/bash', twin);
    const bystander = spawn(twin, ['-p'], { stdio: ['pipe', 'ignore', 'ignore'] });
    t.after(() => bystander.kill('SIGKILL'));
    await using up = await home.up();
    const lines: { at: number; text: string }[] = [];
    up.onStdout((text) => lines.push({ at: Date.now(), text }));
    await using secondDemo = secondHome.start(['demo']);
    await secondDemo.says('An attack in a sandbox');
    await using demo = home.start(['demo', '--json']);
    await demo.says('root reads the password hashes');
    const victims = demos().flatMap((name) =>
      pidsIn(join(cgroupRoot(), name), 'backup-helper').map((pid) => ({ name, pid })),
    );
    const { code, stdout, stderr } = await demo.ended;
    assert.equal(code, 0, stderr);
    const { outcome, incident: file } = JSON.parse(stdout) as DemoJson;
    const { incident, commands, results } = file;

    await t.test('the incident has the stages, rules, container and story', () => {
      const stages = incident.stages.map(({ tactic }) => tactic);
      for (const stage of STAGES) assert.ok(stages.includes(stage), `${stage} is not among ${stages.join(', ')}`);
      const rules = incident.alerts.map(({ rule }) => rule);
      for (const rule of RULES) assert.ok(rules.includes(rule), `"${rule}" is not among ${rules.join(', ')}`);
      assert.equal(incident.container?.id, outcome.container);
      assert.equal(incident.container?.name, 'web-1');
      assert.equal(incident.container?.image, 'shop/web:1.4');
      assert.equal(incident.severity, 'critical');
      assert.equal(incident.state, 'open');
      const story = storyLines(incident).join('\n');
      for (const part of [
        'sh -c test -f x.png; id; uname -a',
        '/tmp/.x',
        '/opt/shop/backup-helper -p',
        '/etc/shadow',
        '/etc/cron.d/update',
      ])
        assert.ok(story.includes(part), `the story does not mention ${part}:\n${story}`);
      for (const alert of incident.alerts) assert.notEqual(alertReason(alert), '');
    });

    await t.test('only the helper of the demo is killed, once', () => {
      const victim = victims.find(({ name }) => name === outcome.container);
      assert.ok(victim, 'the helper was not seen in the cgroup of the demo');
      assert.deepEqual(
        commands.map(({ action, mode, pid, policy }) => ({ action, mode, pid, policy })),
        [{ action: 'kill', mode: 'enforce', pid: victim.pid, policy: 'demo' }],
      );
      assert.deepEqual(
        results.map(({ id, outcome: end, executable }) => ({ id, end, executable })),
        [{ id: commands[0]?.id, end: 'executed', executable: '/opt/shop/backup-helper' }],
      );
      assert.notEqual(outcome.stoppedAfterMs, null);
      assert.equal(existsSync(`/proc/${victim.pid}`), false);
      assert.equal(bystander.exitCode ?? bystander.signalCode, null, 'the bystander was killed');
    });

    await t.test(
      'without a running ringfence the demo starts one and cleans up; each ringfence kills only its own demo',
      async () => {
        const ended = await secondDemo.ended;
        assert.equal(ended.code, 0, ended.stdout + ended.stderr);
        assert.match(ended.stdout, /no ringfence is running/);
        assert.match(ended.stdout, /done {2}kill \/opt\/shop\/backup-helper/);
        assert.deepEqual({ demos: demos(), mounts: mountsOf(secondHome.dir) }, before);
        assert.deepEqual(readdirSync(join(secondHome.runDir, 'containers.d')), []);
        secondHome.assertClean();
        using audit = secondHome.audit();
        const killed = await Array.fromAsync(audit.results({ where: (result) => result.outcome !== 'observed' }));
        assert.deepEqual(
          killed.map(({ outcome: end, executable }) => [end, executable]),
          [['executed', '/opt/shop/backup-helper']],
        );
      },
    );

    await t.test('the terminal of up shows the complete incident', async () => {
      const shown = await until('the incident on the terminal', () =>
        lines.find(
          ({ text }) => text.includes(`${incident.id} · critical`) && STAGES.every((stage) => text.includes(stage)),
        ),
      );
      t.diagnostic(`the incident was shown ${shown.at - outcome.lastStepAt} ms after the last step of the attack`);
    });

    assert.equal((await up.stop('SIGINT')).code, 0);

    await t.test(
      'the audit trail has alerts, incident, command, result and executions, and its chain is intact',
      async () => {
        using audit = home.audit();
        const dossier = audit.incident(incident.id);
        assert.ok(dossier);
        assert.deepEqual(new Set(dossier.alerts.map(({ id }) => id)), new Set(incident.alerts.map(({ id }) => id)));
        assert.deepEqual(
          dossier.commands.map(({ id }) => id),
          commands.map(({ id }) => id),
        );
        assert.deepEqual(
          dossier.results.map(({ outcome: end }) => end),
          ['executed'],
        );
        assert.ok(dossier.executions.length >= 6, `${dossier.executions.length} executions`);
        const incidents = await Array.fromAsync(
          audit.incidents({ where: (candidate) => candidate.container?.id === outcome.container }),
        );
        assert.deepEqual(
          incidents.map(({ id }) => id),
          [incident.id],
        );
        const killed = await Array.fromAsync(audit.results({ where: (result) => result.outcome === 'executed' }));
        assert.equal(killed.length, 1);
        const { problems, records } = audit.verify();
        assert.deepEqual(problems, []);
        assert.ok(records > 0);
        assert.deepEqual([audit.stats().counts.gap, audit.stats().counts.dlq], [0, 0]);
      },
    );
    home.assertClean();
  });

  test('Ctrl-C removes the sandbox, with and without a running ringfence', async () => {
    await using home = new Installation();
    const before = { demos: demos(), mounts: mountsOf(home.dir) };
    await using alone = home.start(['demo']);
    await alone.says('the implant connects back');
    assert.notEqual((await alone.stop('SIGINT')).code, 0);
    assert.deepEqual({ demos: demos(), mounts: mountsOf(home.dir) }, before);
    home.assertClean();

    await using up = await home.up();
    await using demo = home.start(['demo']);
    await demo.says('the implant connects back');
    const { code, stdout, stderr } = await demo.stop('SIGINT');
    assert.notEqual(code, 0);
    assert.doesNotMatch(stdout + stderr, /\n\s+at /, 'an interruption must not print a stack trace');
    assert.deepEqual({ demos: demos(), mounts: mountsOf(home.dir) }, before);
    assert.deepEqual(readdirSync(join(home.runDir, 'containers.d')), []);
    assert.ok(up.alive);
    assert.equal((await up.stop('SIGTERM')).code, 0);
    home.assertClean();
  });

  test('outside of the sandbox of the demo the same action is only observed', async () => {
    await using home = new Installation();
    await using up = await home.up();
    await using container = new TestContainer(home.runDir);
    const culprit = container.run("echo '* * * * * root /bin/true' > /etc/cron.d/update; echo written; exec sleep 60", [
      '/etc/cron.d',
    ]);
    assert.ok(culprit.stdout);
    await once(culprit.stdout, 'data');
    await up.says('Cron job written in a container');
    const commands = await until('an observed command', async () => {
      using audit = home.audit();
      const found = await Array.fromAsync(audit.commands());
      return found.length > 0 && found;
    });
    assert.deepEqual(
      commands.map(({ mode }) => mode),
      ['observe'],
    );
    assert.equal((await up.stop()).code, 0);
    using audit = home.audit();
    assert.deepEqual(await Array.fromAsync(audit.results({ where: ({ outcome }) => outcome === 'executed' })), []);
    assert.equal(culprit.exitCode ?? culprit.signalCode, null, 'the process was killed');
  });
});
