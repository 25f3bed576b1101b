import type { KeyObject } from 'node:crypto';
import type { Bus, EmbeddedBus, TopicSpec } from '@ringfence/bus';
import { openEmbeddedBus } from '@ringfence/bus';
import type { SchemaBus } from '@ringfence/bus-kafka';
import type { SchemaBook } from '@ringfence/bus-kafka/schemas';
import { exchangeSchemas } from '@ringfence/bus-kafka/schemas';
import type { Config } from '@ringfence/config';
import { loadLocalIdentity } from '@ringfence/identity/local';
import {
  isKnownSchema,
  learnSchema,
  ROLES,
  type Role,
  recordsOf,
  type SigningKey,
  TOPIC,
  topicsWith,
  writerSchemas,
} from '@ringfence/wire';
import type { AppLog } from '../app.ts';
import type { Fleet } from './fleet/fleet.ts';

/** Finds a key by its id. */
export interface KeyBook {
  get(keyId: string): KeyObject | undefined;
}

/**
 * Bus, identity and keys that the services of this process share. It holds every difference between a single machine on
 * the embedded log and a member of a fleet.
 */
export interface Deployment extends AsyncDisposable {
  readonly bus: Bus | EmbeddedBus | SchemaBus;
  readonly hostId: string;
  readonly bootId: string;
  /** Signs this host's batches. */
  readonly agentKey: SigningKey;
  /** Signs commands. */
  readonly commandKey: SigningKey;
  /** Keys whose commands the agent of this host executes. */
  readonly responderKeys: KeyBook;
  /** Keys whose batches the enricher accepts, by host; a host may have several keys. */
  readonly enrolment: {
    keyFor(hostId: string, keyId?: string, at?: number): KeyObject | undefined;
    isRevoked?(keyId: string): boolean;
  };
  /** Host keys known to this process, for a recording's header. */
  readonly enrolled: ReadonlyMap<string, KeyObject>;
  /** Signs the records of services. Null on the embedded log: only root can write it, so records stay unsigned. */
  readonly serviceKey: SigningKey | null;
  /** Finds the keys whose records of a role are accepted. Null: records are not verified. */
  readonly trusted: ((role: Role) => (keyId: string, at?: number) => KeyObject | undefined) | null;
  /** Null on the embedded log. */
  readonly fleet: Fleet | null;
}

export interface DeploymentOptions {
  readonly config: Config;
  readonly log: AppLog;
  readonly signal: AbortSignal;
  /** Called with what the start is waiting for, or null when it stops waiting. */
  readonly onWaiting: (reason: string | null) => void;
}

/**
 * Opens the bus, loads the identity, and waits for whatever a fleet does not offer yet. Rejects with
 * SchemaIncompatibleError when the bus has records that this version can't read.
 */
export async function openDeployment(options: DeploymentOptions): Promise<Deployment> {
  if (options.config.bus.driver !== 'kafka') return openEmbedded(options);
  // Imported lazily: the Kafka driver and certificates are large.
  return (await import('./fleet/fleet.ts')).openFleet(options);
}

async function openEmbedded({ config, log }: DeploymentOptions): Promise<Deployment> {
  const identity = loadLocalIdentity(config.stateDir);
  await using stack = new AsyncDisposableStack();
  const bus = stack.use(await openEmbeddedBus({ ...config.bus.embedded, log }));
  await bus.ensureTopics(topicSpecs(config));
  const records = { reads: recordsOf(ROLES, 'reads'), writes: recordsOf(ROLES, 'writes') };
  await exchangeSchemas(bus, { book: schemaBook, topic: TOPIC.schemas, ...records });
  const resources = stack.move();
  return {
    bus,
    hostId: identity.hostId,
    bootId: identity.bootId,
    agentKey: identity.agentKey,
    commandKey: identity.responderKey,
    responderKeys: identity.trusted,
    enrolment: { keyFor: (hostId) => identity.enrolled.get(hostId) },
    enrolled: identity.enrolled,
    serviceKey: null,
    trusted: null,
    fleet: null,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** Schemas of this version, and those learnt from the bus. */
export const schemaBook: SchemaBook = { currentSchemas: writerSchemas, knows: isKnownSchema, learn: learnSchema };

/** Returns all topics with their retention from the settings. `partitions`: for the topics that have several. */
export function topicSpecs(config: Pick<Config, 'topics'>, partitions = 1): TopicSpec[] {
  return topicsWith(partitions).map((topic) => ({ ...topic, ...config.topics[topic.setting] }));
}
