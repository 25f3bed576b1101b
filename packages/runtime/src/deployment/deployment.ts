import type { KeyObject } from 'node:crypto';
import type { Bus, EmbeddedBus, TopicSpec } from '@ringfence/bus';
import type { KafkaBus, SchemaBus } from '@ringfence/bus-kafka';
import type { Config } from '@ringfence/config';
import type {
  Authority,
  CertificateWatch,
  Enrolments,
  FleetStanding,
  Identity,
  TrustedKeys,
} from '@ringfence/identity';
import type { AppLog } from '@ringfence/telemetry';
import { type Role, type SigningKey, topicsWith } from '@ringfence/wire';

/** Finds a key by its id. */
export interface KeyBook {
  get(keyId: string): KeyObject | undefined;
  readonly trustsNobody?: boolean;
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
  /** Called with the public key of this host's agent when the private key is out of reach of this process. */
  takeAgentKey(key: KeyObject): void;
  /** Signs the records of services. Null on the embedded log: only root can write it, so records stay unsigned. */
  readonly serviceKey: SigningKey | null;
  /** Finds the keys whose records of a role are accepted. Null: records are not verified. */
  readonly trusted: ((role: Role) => (keyId: string, at?: number) => KeyObject | undefined) | null;
  /** Null on the embedded log. */
  readonly fleet: Fleet | null;
}

/** The parts of a deployment that only a member of a fleet has. */
export interface Fleet {
  /** Name of this process among the members that run the same service. */
  readonly instance: string;
  readonly identity: Identity;
  /** Certificate and key, updated when they are renewed. */
  readonly tls: CertificateWatch;
  /** Enrolment records from the bus; null when no service of this process reads them. */
  readonly enrolments: Enrolments | null;
  /** Keys of responders that the agent of this host has learnt over the control stream. */
  readonly responderKeys: TrustedKeys;
  /** The services in force, from the registrar or a responder. */
  readonly standing: FleetStanding;
  /** Fetches the standing from the registrar, null when it has none; undefined when no registrar is set. */
  readonly fetchStanding: (() => Promise<Uint8Array | null>) | undefined;
  /** Rejects once this service is revoked; never resolves. */
  readonly revoked: Promise<never>;
  /** Null unless the registrar runs in this process. */
  readonly authority: Authority | null;
  /** The bus without schemas, for its statistics and for the readiness check. */
  readonly kafka: KafkaBus;
}

export interface DeploymentOptions {
  readonly config: Config;
  readonly log: AppLog;
  readonly signal: AbortSignal;
  /** Called with what the start is waiting for, or null when it stops waiting. */
  readonly onWaiting: (reason: string | null) => void;
  /** Signs a certificate request in the process that keeps the signing key. */
  readonly prove?: ((csr: string) => Promise<Uint8Array>) | undefined;
  /** Whether the collector runs in the sensor's process, which then keeps the file of the standing. @default false */
  readonly hasSensorProcess?: boolean;
}

/** Returns all topics with their retention from the settings. `partitions`: for the topics that have several. */
export function topicSpecs(config: Pick<Config, 'topics'>, partitions = 1): TopicSpec[] {
  return topicsWith(partitions).map((topic) => ({ ...topic, ...config.topics[topic.setting] }));
}
