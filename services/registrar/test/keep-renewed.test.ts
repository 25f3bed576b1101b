import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLog } from '@ringfence/base';
import { enrol, identityPaths, keepRenewed, watchCertificates } from '@ringfence/identity';
import { startFleet } from './support.ts';

test('renews a certificate before it expires, repeatedly, and a file watch sees each one', {
  timeout: 60_000,
}, async (t) => {
  const fleet = await startFleet(t, { certificateDays: 10 / 86_400 });
  const hostId = randomUUID();
  const first = await enrol(fleet.agent(hostId));
  const directory = join(fleet.directory, hostId);
  using watch = watchCertificates(identityPaths(directory), { intervalMs: 20 });
  const stop = new AbortController();
  const certificates = [watch.current().certificate];
  const twice = Promise.withResolvers<void>();
  using _ = watch.onChange(() => {
    certificates.push(watch.current().certificate);
    if (certificates.length === 3) twice.resolve();
  });
  const renewed: number[] = [];
  const done = keepRenewed({
    registrar: fleet.registrar.url,
    directory,
    signal: stop.signal,
    log: silentLog,
    onRenewed: (identity) => {
      renewed.push(identity.notAfter);
      assert.equal(identity.signingKey.keyId, first.signingKey.keyId);
    },
  });
  // Keeps the process running: the timers of keepRenewed do not.
  const keepAlive = setInterval(() => {}, 1000);
  t.after(() => {
    clearInterval(keepAlive);
    stop.abort();
  });
  await twice.promise;
  stop.abort();
  await done;
  assert.equal(new Set(certificates).size, 3);
  assert.ok(renewed.length >= 2);
});

test('retries while the registrar is unreachable, and renews when it is back', {
  timeout: 60_000,
}, async (t) => {
  const fleet = await startFleet(t, { certificateDays: 10 / 86_400 });
  const hostId = randomUUID();
  await enrol(fleet.agent(hostId));
  const { url } = fleet.registrar;
  await fleet.registrar.close();
  const stop = new AbortController();
  const back = Promise.withResolvers<void>();
  const warnings: string[] = [];
  const done = keepRenewed({
    registrar: url,
    directory: join(fleet.directory, hostId),
    signal: stop.signal,
    log: {
      info() {},
      warn(_facts, message) {
        if (warnings.push(message) === 1) void fleet.start({ port: Number(new URL(url).port) });
      },
    },
    onRenewed: () => back.resolve(),
    retryMs: 100,
  });
  const keepAlive = setInterval(() => {}, 1000);
  t.after(() => {
    clearInterval(keepAlive);
    stop.abort();
  });
  await back.promise;
  stop.abort();
  await done;
  assert.equal(warnings[0], 'certificate not renewed yet');
});
