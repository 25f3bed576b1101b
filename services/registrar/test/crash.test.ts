import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { silentLog } from '@ringfence/base';
import { openEmbeddedBus } from '@ringfence/bus';
import { createAuthority, Enrolments, enrol, openAuthority } from '@ringfence/identity';
import { topicsWith } from '@ringfence/wire';
import { startRegistrar } from '../src/index.ts';
import { temporary } from './support.ts';

const cases = [
  { point: 'before-spend', description: 'the token is still valid', good: true, enrolled: 0 },
  { point: 'after-spend', description: 'the token is spent and no key is enrolled', good: false, enrolled: 0 },
  {
    point: 'after-record',
    description: 'the token is spent and the enrolled key is published after the restart',
    good: false,
    enrolled: 1,
  },
] as const;

for (const { point, description, good: tokenUsable, enrolled } of cases) {
  test(`killed ${point}: ${description}`, { timeout: 60_000 }, async (t) => {
    const directory = temporary(t);
    await createAuthority(join(directory, 'ca'));
    const first = await openEmbeddedBus({ path: join(directory, 'bus.db') });
    await first.ensureTopics(topicsWith(1));
    await first.close();
    const flags = process.execArgv.filter((option) => option.startsWith('--conditions'));
    const child = spawn(process.execPath, [...flags, join(import.meta.dirname, 'crash-child.ts'), directory, point], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.after(() => child.kill('SIGKILL'));
    const { value } = await createInterface(child.stdout)[Symbol.asyncIterator]().next();
    const [url = '', token = ''] = (value as string).split(' ');
    const hostId = randomUUID();
    const options = { token, subject: hostId, roles: ['agent'] as const, directory: join(directory, 'agent') };
    const exited = once(child, 'exit');
    await assert.rejects(enrol({ ...options, registrar: url }), { code: 'ERR_IDENTITY_REGISTRAR' });
    assert.equal((await exited)[1], 'SIGKILL');

    await using bus = await openEmbeddedBus({ path: join(directory, 'bus.db') });
    const ca = await openAuthority(join(directory, 'ca'));
    await using registrar = await startRegistrar({
      options: { port: 0, names: ['127.0.0.1'] },
      bus,
      ca,
      log: silentLog,
    });
    await using enrolments = await Enrolments.open({ bus, root: ca.root.publicKey });
    assert.equal(enrolments.ofSubject(hostId).length, enrolled);
    const retried = enrol({ ...options, registrar: registrar.url });
    if (tokenUsable) assert.equal((await retried).subject, hostId);
    else await assert.rejects(retried, { reason: 'ERR_REGISTRAR_TOKEN' });
    assert.deepEqual(readdirSync(join(directory, 'ca', 'tokens', 'open')), []);
  });
}
