import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import type { TlsMaterial } from '@ringfence/identity';
import { INITIAL_INTEREST } from '@ringfence/interest';
import { decode } from '@ringfence/wire';
import { command, createTestFleet, until } from './support.ts';

const AGENTS = 1000;

test('a thousand agents attach and execute commands within bounded memory', { timeout: 300_000 }, async (t) => {
  const fleet = await createTestFleet(t);
  const hosts = new Set<string>();
  // On a loaded machine a thousand streams need longer than the default three intervals of 10 s to be served.
  const server = await fleet.serve({ heartbeatMs: 60_000 });
  server.onAttach((hostId) => hosts.add(hostId));
  const directory = mkdtempSync(join(tmpdir(), 'rf-control-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const agents: [string, TlsMaterial][] = [];
  const issue = async (): Promise<[string, TlsMaterial]> => {
    const hostId = randomUUID();
    return [hostId, (await fleet.material(hostId, ['agent'])).tls];
  };
  while (agents.length < AGENTS) agents.push(...(await Promise.all(Array.from({ length: 50 }, issue))));
  const file = join(directory, 'agents.json');
  writeFileSync(file, JSON.stringify(agents), { mode: 0o600 });
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  const args = [join(import.meta.dirname, 'agents-child.ts'), file, String(server.port)];
  const child = spawn(
    process.execPath,
    [...process.execArgv.filter((option) => option.startsWith('--conditions')), ...args],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  t.after(() => child.kill('SIGKILL'));
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  assert.equal((await lines.next()).value, 'ready');
  await until(() => server.stats().attached === AGENTS);
  const attached = process.memoryUsage().rss;
  const prefixes = Array.from({ length: 200 }, (_, n) => `/srv/some/path/${n}/`);
  await server.setInterest({
    ...INITIAL_INTEREST,
    version: 1,
    openPathPrefixes: prefixes,
  });
  const results = await Promise.all(
    [...hosts].map(async (hostId) => {
      const { id, bytes } = command(hostId);
      const result = decode('Result', await server.execute(hostId, bytes));
      server.acknowledge(hostId, id);
      return result.id === id && result.hostId === hostId;
    }),
  );
  assert.equal(results.filter(Boolean).length, AGENTS);
  assert.equal(server.stats().attached, AGENTS);
  const after = process.memoryUsage().rss;
  const perStream = (bytes: number): string => `${((bytes - before) / AGENTS / 1024).toFixed(0)} KiB`;
  t.diagnostic(`${AGENTS} streams: ${perStream(attached)} each once attached, ${perStream(after)} each in use`);
  assert.ok((after - before) / AGENTS < 1 << 20);
  const exited = once(child, 'exit');
  child.stdin.end();
  assert.equal((await lines.next()).value, `executed ${AGENTS}`);
  await exited;
});
