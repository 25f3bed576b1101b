import type { KeyObject } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Backoff, backoffMs, fateOf, LogThrottle, OperatorError } from '@ringfence/base';
import type { Bus } from '@ringfence/bus';
import { type KafkaBus, openKafkaBus } from '@ringfence/bus-kafka';
import { Enrolments, type Identity, identityPaths, TrustedKeys, watchCertificates } from '@ringfence/identity';
import { bootId } from '@ringfence/identity/local';
import { ACCESS, keyIdOf, type SchemaTrust, TOPIC, topicsOf } from '@ringfence/wire';
import { type Deployment, type DeploymentOptions, topicSpecs } from '../deployment.ts';
import { forgetAgentKey, loadFleetIdentity, openOrCreateAuthority, renewCertificate, roleOf } from './identity.ts';
import { instanceOf, kafkaOptionsWithIdentity } from './kafka-options.ts';
import type { RevocationWatch } from './revocation.ts';
import { withFleetSchemas } from './schemas.ts';
import { openStanding } from './standing.ts';

const RETRY: Backoff = { firstMs: 250, maxMs: 10_000 };
const LOG_AGAIN_MS = 60_000;

/** Retries while brokers and topics are not available. Rejects with errors that waiting cannot fix. */
export async function openFleet(options: DeploymentOptions): Promise<Deployment> {
  const { config, log } = options;
  const { services } = config;
  await using stack = new AsyncDisposableStack();
  const authority = services.includes('registrar') ? await openOrCreateAuthority(config) : null;
  const identity = await loadFleetIdentity(config, authority);
  const tls = stack.use(
    watchCertificates(identityPaths(config.identity.path), { onError: (text) => log.warn({}, text) }),
  );
  if (config.identity.registrar !== '') stack.use(renewCertificate(options));
  const member = stack.use(openStanding(options, identity, tls));
  const kafka = stack.use(await openBus(options, identity));
  await ensureTopics(options, kafka, member.revocation);
  const readsEnrolments = services.some((service) => ACCESS[roleOf(service)].reads.includes(TOPIC.enrolments));
  const enrolments = readsEnrolments ? stack.use(await openEnrolments(options, kafka, identity)) : null;
  if (enrolments !== null) member.follow(enrolments);
  const { standing, revocation } = member;
  // A service manager restarts a service that has ended. A revoked one must not join its groups again.
  revocation.throwIfRevoked();
  const trust: SchemaTrust = {
    key: authority?.root ?? revocation.signingKey,
    root: { keyId: keyIdOf(identity.root), publicKey: identity.root },
    trusted: (role) => enrolments?.trustedKeys(role) ?? (() => undefined),
  };
  const bus = await withFleetSchemas(kafka, config, services, { ...options, trust });
  const responderKeys = new TrustedKeys(identity.root, 'responder', standing);
  const instance = instanceOf(config);
  const resources = stack.move();
  return {
    bus,
    hostId: identity.subject,
    bootId: bootId(),
    agentKey: identity.signingKey,
    commandKey: revocation.signingKey,
    responderKeys,
    enrolment: {
      keyFor: (hostId, keyId, at): KeyObject | undefined => enrolments?.keyFor(hostId, keyId, at),
      isRevoked: (keyId) => enrolments?.isRevoked(keyId) === true,
    },
    enrolled: new Map(),
    takeAgentKey: () => forgetAgentKey(config.identity.path, identity),
    serviceKey: revocation.signingKey,
    trusted: trust.trusted,
    fleet: {
      instance,
      identity,
      tls,
      enrolments,
      responderKeys,
      standing,
      revoked: revocation.revoked,
      fetchStanding: member.fetch,
      authority,
      kafka,
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** The registrar signs the schemas of enrolments with the root key, because no other key is known before them. */
async function openEnrolments(options: DeploymentOptions, kafka: Bus, identity: Identity): Promise<Enrolments> {
  const { config, log } = options;
  const root = { keyId: keyIdOf(identity.root), publicKey: identity.root };
  const trust: SchemaTrust = { key: identity.signingKey, root, trusted: () => () => undefined };
  const bus = await withFleetSchemas(kafka, config, config.services, { ...options, trust, reads: ['Enrolment'] });
  return Enrolments.open({ bus, root: identity.root, log });
}

function openBus(options: DeploymentOptions, { stateKeys }: Identity): Promise<KafkaBus> {
  const { config, log } = options;
  const stateKey = (group: string): KeyObject => {
    // A consumer group is named after its role, or after its role, a hyphen and a suffix.
    const key = stateKeys.get(group.split('-')[0] ?? '');
    if (key !== undefined) return key;
    throw new OperatorError(
      `the identity in ${config.identity.path} has no key for the state of ${group}: enrol again`,
    );
  };
  return retryUntilAvailable(options, `Kafka at ${config.bus.kafka.brokers.join(', ')}`, () =>
    openKafkaBus({ ...kafkaOptionsWithIdentity(config), stateKey, log }),
  );
}

/** Creates the topics if this process may; else waits until an operator has created them. */
async function ensureTopics(options: DeploymentOptions, bus: Bus, revocation: RevocationWatch): Promise<void> {
  const { config } = options;
  const used: readonly string[] = topicsOf(config.services.map(roleOf));
  const specs = topicSpecs(config, config.bus.kafka.partitions).filter(({ name }) => used.includes(name));
  await retryUntilAvailable(options, 'topics; "ringfence topics apply" creates them', () => {
    // The brokers hide all topics from a service that was revoked.
    revocation.throwIfRevoked();
    return Promise.race([bus.ensureTopics(specs), revocation.revoked]);
  });
}

/** Repeats `attempt` with backoff while it fails with a retriable error. */
async function retryUntilAvailable<T>(
  { log, signal, onWaiting }: DeploymentOptions,
  resource: string,
  attempt: () => Promise<T>,
): Promise<T> {
  const warnings = new LogThrottle(LOG_AGAIN_MS);
  for (let retries = 0; ; retries++) {
    try {
      const result = await attempt();
      onWaiting(null);
      return result;
    } catch (err) {
      if (fateOf(err) !== 'retriable') throw err;
      const { message } = err as Error;
      if (warnings.shouldLog('waiting') !== null) log.warn({ resource, reason: message }, 'waiting');
      onWaiting(`waiting for ${resource}: ${message}`);
      await sleep(backoffMs(retries, RETRY), undefined, { signal });
    }
  }
}
