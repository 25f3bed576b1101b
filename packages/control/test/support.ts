import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLog } from '@ringfence/base';
import {
  type Authority,
  createAuthority,
  createRequest,
  Enrolments,
  FleetStanding,
  type TlsMaterial,
  type TlsSource,
  TrustedKeys,
} from '@ringfence/identity';
import type { Interest } from '@ringfence/interest';
import { createSigningKey, decode, encodeSigned, PROCESS_ONLY, type Role, U64_ZERO } from '@ringfence/wire';
import type { Control } from '../src/agent-control.ts';
import {
  type ConnectControlOptions,
  type ControlLink,
  type ControlServer,
  connectControl,
  type ServeControlOptions,
  serveControl,
} from '../src/index.ts';
import { EnrolmentLog } from './enrolment-log.ts';

const key = createSigningKey();

export interface RotatingTls extends TlsSource {
  rotate(next: TlsMaterial): void;
  readonly serial: string;
}

export interface TestFleet {
  readonly ca: Authority;
  readonly log: EnrolmentLog;
  readonly enrolments: Enrolments;
  /** The standing that honest responders carry: always the newest */
  readonly standing: FleetStanding;
  /** Results that no caller waited for */
  readonly stored: { readonly hostId: string; readonly id: string }[];
  material(subject: string, roles: readonly Role[], days?: number): Promise<{ tls: TlsMaterial; serial: string }>;
  source(subject: string, roles: readonly Role[], days?: number): Promise<RotatingTls>;
  serve(options?: Partial<ServeControlOptions>): Promise<ControlServer>;
  connect(
    agent: TestAgent,
    servers: readonly ControlServer[],
    options?: Partial<ConnectControlOptions>,
  ): Promise<ControlLink>;
}

/** Creates an authority with its log of enrolments; everything is closed after the test. */
export async function createTestFleet(t: TestContext): Promise<TestFleet> {
  const directory = mkdtempSync(join(tmpdir(), 'rf-control-'));
  const ca = await createAuthority(join(directory, 'ca'));
  const closing: AsyncDisposable[] = [];
  t.after(async () => {
    for (const disposable of closing.reverse()) await disposable[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });
  const log = new EnrolmentLog(ca.root);
  const enrolments = await Enrolments.open({ bus: log, root: ca.root.publicKey });
  closing.push(enrolments);
  const standing = new FleetStanding(ca.root.publicKey);
  log.onChange(() => standing.add(log.standing()));
  const stored: TestFleet['stored'] = [];
  const material: TestFleet['material'] = async (subject, roles, days = 1) => {
    const { key, csr } = await createRequest(subject);
    const hosts = roles.includes('agent') ? [] : ['127.0.0.1', 'localhost'];
    const { certificate, serial } = await ca.issue({ csr, subject, roles, hosts, days });
    log.enrol(subject, roles.join(','), serial);
    await until(() => enrolments.isInForce(serial));
    return { tls: { certificate, key, authority: ca.certificate }, serial };
  };
  const source: TestFleet['source'] = async (subject, roles, days) => {
    const { tls, serial } = await material(subject, roles, days);
    return rotatingTls(tls, serial);
  };
  return {
    ca,
    log,
    enrolments,
    standing,
    stored,
    material,
    source,
    async serve(options = {}) {
      const server = await serveControl({
        port: 0,
        tls: options.tls ?? (await source('responder-1', ['responder'])),
        enrolments,
        standing,
        onResult: async (hostId, result) => void stored.push({ hostId, id: decode('Result', result).id }),
        log: silentLog,
        heartbeatMs: 500,
        ...options,
      });
      closing.push(server);
      return server;
    },
    async connect(agent, servers, options = {}) {
      const ownStanding = options.standing ?? new FleetStanding(ca.root.publicKey);
      const link = connectControl({
        endpoints: servers.map(({ port }) => `127.0.0.1:${port}`),
        tls: options.tls ?? (await source(agent.hostId, ['agent'])),
        control: agent,
        trusted: new TrustedKeys(ca.root.publicKey, 'responder', ownStanding),
        standing: ownStanding,
        bootId: 'boot',
        agentVersion: '0.1.0',
        log: silentLog,
        backoffMs: 20,
        maxBackoffMs: 200,
        ...options,
      });
      closing.push(link);
      return link;
    },
  };
}

function rotatingTls(first: TlsMaterial, serial: string): RotatingTls {
  let material = first;
  const listeners = new Set<() => void>();
  return {
    serial,
    current: () => material,
    onChange(listener) {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
    rotate(next) {
      material = next;
      for (const listener of [...listeners]) listener();
    },
  };
}

/** A Control port that records its calls; `hold` delays the Results until `release`. */
export class TestAgent implements Control {
  readonly hostId: string;
  readonly executed: string[] = [];
  readonly interests: Interest[] = [];
  #gate: Promise<void> = Promise.resolve();
  #open: () => void = () => {};

  constructor(hostId: string = randomUUID()) {
    this.hostId = hostId;
  }

  hold(): void {
    ({ promise: this.#gate, resolve: this.#open } = Promise.withResolvers<void>());
  }

  release(): void {
    this.#open();
  }

  async execute(bytes: Uint8Array): Promise<Uint8Array> {
    const { id } = decode('Command', bytes);
    this.executed.push(id);
    await this.#gate;
    return encodeSigned(
      'Result',
      { id, hostId: this.hostId, outcome: 'executed', reason: '', executable: '/bin/x', at: 1, children: 0, facts: {} },
      null,
    );
  }

  async setInterest(interest: Interest): Promise<void> {
    this.interests.push(interest);
  }
}

export function command(hostId: string, id: string = randomUUID()): { readonly id: string; readonly bytes: Buffer } {
  const at = Date.now() * 1000;
  const bytes = encodeSigned(
    'Command',
    {
      id,
      action: 'kill',
      mode: 'enforce',
      cause: 'alert',
      policy: 'p',
      reason: 'r',
      ordinal: 0,
      ...PROCESS_ONLY,
      hostId,
      bootId: 'boot',
      entityId: 'e',
      pid: 4242,
      start: U64_ZERO,
      executable: '/bin/x',
      issuedAt: at,
      expiresAt: at + 60_000_000,
    },
    key,
  );
  return { id, bytes };
}

/** Polls until `check` returns true. Throws after 100 s, so that a failed test ends. */
export async function until(check: () => boolean): Promise<void> {
  const deadline = performance.now() + 100_000;
  while (!check()) {
    if (performance.now() > deadline) throw new Error(`timed out waiting for: ${check}`);
    await sleep(5);
  }
}
