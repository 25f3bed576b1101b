import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { defined, type Log, silentLog } from '@ringfence/base';
import { type Bus, openEmbeddedBus } from '@ringfence/bus';
import { type Authority, createAuthority, Enrolments, type EnrolOptions } from '@ringfence/identity';
import { topicsWith } from '@ringfence/wire';
import { type Registrar, type RegistrarOptions, startRegistrar } from '../src/index.ts';

export function temporary(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'rf-registrar-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export interface Fleet {
  readonly directory: string;
  readonly bus: Bus;
  readonly ca: Authority;
  readonly registrar: Registrar;
  readonly enrolments: Enrolments;
  /** Starts another registrar on the same authority */
  start(options?: Partial<RegistrarOptions>, now?: () => number): Promise<Registrar>;
  /** Returns options of `enrol` for an agent, with a token for it */
  agent(hostId: string, overrides?: Partial<EnrolOptions>): EnrolOptions;
}

/** Starts a registrar on loopback, an embedded bus, and a reader of the published enrolments. */
export async function startFleet(
  t: TestContext,
  options: Partial<RegistrarOptions> = {},
  log: Log = silentLog,
): Promise<Fleet> {
  const directory = temporary(t);
  const bus = await openEmbeddedBus({ path: join(directory, 'bus.db') });
  await bus.ensureTopics(topicsWith(4));
  const ca = await createAuthority(join(directory, 'ca'));
  const started: Registrar[] = [];
  const start: Fleet['start'] = async (overrides = {}, now) => {
    const registrar = await startRegistrar({
      options: { port: 0, names: ['127.0.0.1', 'localhost'], refusalsPerMinute: 1000, ...options, ...overrides },
      bus,
      ca,
      log,
      ...defined({ now }),
    });
    started.push(registrar);
    return registrar;
  };
  const registrar = await start();
  const enrolments = await Enrolments.open({ bus, root: ca.root.publicKey });
  t.after(async () => {
    await enrolments.close();
    for (const registrar of started) await registrar.close();
    await bus.close();
  });
  return {
    directory,
    bus,
    ca,
    registrar,
    enrolments,
    start,
    agent: (hostId, overrides = {}) => ({
      registrar: registrar.url,
      token: overrides.token ?? registrar.createToken({ roles: ['agent'], subject: hostId }),
      subject: hostId,
      roles: ['agent'],
      directory: join(directory, hostId),
      ...overrides,
    }),
  };
}

/** Resolves when `check` returns true; checks again on every enrolment. */
export async function until(enrolments: Enrolments, check: () => boolean): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  using _ = enrolments.onChange(() => {
    if (check()) resolve();
  });
  if (!check()) await promise;
}
