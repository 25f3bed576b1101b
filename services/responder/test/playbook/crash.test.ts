import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openEmbeddedBus } from '@ringfence/bus';
import { EVIDENCE_HOST } from '@ringfence/synthetic';
import { createSigningKey, decode, encode, TOPIC, topicsWith } from '@ringfence/wire';
import { startTestResponder, tempDir } from '../support.ts';
import { all, firstResults, startVictim } from '../victim.ts';
import { alertOf, CRASH_STEPS, playbookOf, SteppingAgent } from './support.ts';

/** Each batch is caused by the one before. */
const BATCHES = [
  'the alert, before a run begins',
  'the beginning of the run, before its first order',
  'its first order',
  'the Result, before the wait',
  'the end of the wait, before the second order',
  'its second order',
  'the last Result',
];

suite('a run of a playbook whose responder is killed with -9', () => {
  for (const [batch, input] of BATCHES.entries())
    for (const point of ['before-effect', 'before-commit', 'after-commit'] as const)
      test(`at ${input}, ${point}: each step is done once`, async () => {
        using dir = tempDir();
        await using target = startVictim();
        const key = createSigningKey();
        const keyFile = join(dir.path, 'key.pem');
        writeFileSync(keyFile, key.privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
        const path = join(dir.path, 'bus.db');
        {
          await using bus = await openEmbeddedBus({ path });
          await bus.ensureTopics(topicsWith(8));
          const value = encode('Alert', alertOf(target.pid, Date.now() * 1000));
          await bus.produce([{ topic: TOPIC.alerts, key: EVIDENCE_HOST, value }]);
        }
        const script = fileURLToPath(new URL('./crash-child.ts', import.meta.url));
        const args = ['--conditions=@ringfence/source', '--disable-warning=ExperimentalWarning', script];
        const crashed = spawnSync(
          process.execPath,
          [...args, dir.path, keyFile, String(target.pid), point, String(batch + 1)],
          { timeout: 30_000 },
        );
        assert.equal(crashed.signal, 'SIGKILL', crashed.stderr.toString());

        await using bus = await openEmbeddedBus({ path });
        const control = new SteppingAgent(key, dir.path, target.pid);
        await using responder = await startTestResponder({
          ...{ bus, key, control, coordination: join(dir.path, 'coordination.db') },
          overrides: { policies: [], playbooks: [playbookOf(CRASH_STEPS)], now: () => Date.now() * 1000 },
        });
        if (target.child.signalCode === null) await once(target.child, 'exit');
        const results = await firstResults(bus, 2);
        assert.deepEqual(
          results.map(({ outcome }) => outcome),
          ['executed', 'executed'],
        );
        await responder.close();
        assert.deepEqual(control.done(), ['suspend', 'kill']);
        const commands = await all(bus, TOPIC.commands, (value) => decode('Command', value));
        assert.deepEqual(
          commands.map(({ act, policy, cause }) => [act, policy, cause]),
          [
            ['suspend', 'playbook/p', alertOf(target.pid, 0).id],
            ['kill', 'playbook/p', alertOf(target.pid, 0).id],
          ],
        );
        assert.equal((await all(bus, TOPIC.results, (value) => decode('Result', value))).length, 2);
      });
});
