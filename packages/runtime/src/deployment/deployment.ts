import type { KeyObject } from 'node:crypto';
import type { Bus, EmbeddedBus } from '@ringfence/bus';
import { openEmbeddedBus } from '@ringfence/bus';
import type { SchemaBus } from '@ringfence/bus-kafka';
import type { Config } from '@ringfence/config';
import { loadLocalIdentity } from '@ringfence/identity/local';
import type { Role, SigningKey } from '@ringfence/wire';
import type { AppLog } from '../app.ts';
import type { Fleet } from './fleet.ts';
import { saySchemas } from './schemas.ts';
import { topicSpecs } from './topics.ts';

/** Finds a key by its id. */
export interface KeyBook {
  get(keyId: string): KeyObject | undefined;
}

/** Where the services of this process run: alone on the embedded log, or as a part of a fleet. All that differs between the two is here. */
export interface Site extends AsyncDisposable {
  readonly bus: Bus | EmbeddedBus | SchemaBus;
  readonly hostId: string;
  readonly bootId: string;
  /** signs this host's batches */
  readonly agentKey: SigningKey;
  /** signs commands */
  readonly commandKey: SigningKey;
  /** whose commands the agent of this host obeys */
  readonly commanders: KeyBook;
  /** whose batches the enricher takes, by host; a host may have several keys */
  readonly enrolment: {
    keyFor(hostId: string, keyId?: string, at?: number): KeyObject | undefined;
    isRevoked?(keyId: string): boolean;
  };
  /** hosts whose keys are known here: what a recording carries */
  readonly enrolled: ReadonlyMap<string, KeyObject>;
  /** signs what the services write; null: unsigned, since the log belongs to root alone */
  readonly serviceKey: SigningKey | null;
  /** whose records of a role are taken; null: everybody's */
  readonly trusted: ((role: Role) => (keyId: string, at?: number) => KeyObject | undefined) | null;
  /** null: one process */
  readonly fleet: Fleet | null;
}

export interface SiteOptions {
  readonly config: Config;
  readonly log: AppLog;
  readonly signal: AbortSignal;
  /** told what is waited for, in plain words; null: nothing any more */
  readonly onWaiting: (what: string | null) => void;
}

export async function openSite(options: SiteOptions): Promise<Site> {
  if (options.config.bus.driver !== 'kafka') return openLocal(options);
  // Loaded only then: drivers and certificates are large.
  return (await import('./fleet.ts')).openFleet(options);
}

async function openLocal({ config, log }: SiteOptions): Promise<Site> {
  const identity = loadLocalIdentity(config.stateDir);
  await using stack = new AsyncDisposableStack();
  const bus = stack.use(await openEmbeddedBus({ ...config.bus.embedded, log }));
  await bus.ensureTopics(topicSpecs(config));
  await saySchemas(bus);
  const resources = stack.move();
  return {
    bus,
    hostId: identity.hostId,
    bootId: identity.bootId,
    agentKey: identity.agentKey,
    commandKey: identity.responderKey,
    commanders: identity.trusted,
    enrolment: { keyFor: (hostId) => identity.enrolled.get(hostId) },
    enrolled: identity.enrolled,
    serviceKey: null,
    trusted: null,
    fleet: null,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}
