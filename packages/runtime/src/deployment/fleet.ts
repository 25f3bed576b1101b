import type { KeyObject } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Backoff, backoffMs, fateOf, OperatorError, Seldom } from '@ringfence/base';
import type { Bus } from '@ringfence/bus';
import { type KafkaBus, openKafkaBus } from '@ringfence/bus-kafka';
import type { Config, ServiceName } from '@ringfence/config';
import {
  type Authority,
  type CertificateWatch,
  createAuthority,
  createRequest,
  Enrolments,
  type Identity as FleetIdentity,
  identityPaths,
  keepRenewed,
  loadIdentity,
  openAuthority,
  TrustedKeys,
  watchCertificates,
  writeIdentity,
} from '@ringfence/identity';
import { bootId } from '@ringfence/identity/local';
import { ACCESS, createSigningKey, type Role, TOPIC, topicsOf } from '@ringfence/schema';
import type { Site, SiteOptions } from './deployment.ts';
import { withSchemasOf } from './fleet-schemas.ts';
import { kafkaOptionsOf } from './kafka-options.ts';
import { topicSpecs } from './topics.ts';

/** What a process has because others of its kind exist. */
export interface Fleet {
  /** the name of this process among others that do the same */
  readonly instance: string;
  readonly identity: FleetIdentity;
  /** certificate and key as they are now */
  readonly tls: CertificateWatch;
  /** who may speak as whom; null where nothing is read from the bus */
  readonly enrolments: Enrolments | null;
  /** responders that the agent of this host has learnt of */
  readonly learnt: TrustedKeys;
  /** null unless the registrar runs here */
  readonly authority: Authority | null;
  /** the bus without schemas, for what it says of itself */
  readonly kafka: KafkaBus;
}

const RETRY: Backoff = { firstMs: 250, maxMs: 10_000 };
const SAY_AGAIN_MS = 60_000;

export const roleOf = (service: ServiceName): Role => (service === 'collector' ? 'agent' : service);

/** Waits for whatever isn't there yet; gives up only what waiting doesn't mend. */
export async function openFleet(options: SiteOptions): Promise<Site> {
  const { config, log } = options;
  const { services } = config;
  await using stack = new AsyncDisposableStack();
  const authority = services.includes('registrar') ? await authorityOf(config) : null;
  const identity = await identityOf(config, authority);
  const tls = stack.use(
    watchCertificates(identityPaths(config.identity.path), { onError: (text) => log.warn({}, text) }),
  );
  if (config.identity.registrar !== '') stack.use(renewing(options));
  const bus = stack.use(await openBus(options, identity));
  await ensureTopics(options, bus);
  const framed = await withSchemasOf(bus, config, services, options);
  const reads = services.some((service) => ACCESS[roleOf(service)].reads.includes(TOPIC.enrolments));
  const enrolments = reads ? stack.use(await Enrolments.open({ bus: framed, root: identity.root, log })) : null;
  const learnt = new TrustedKeys(identity.root, 'responder');
  const fleet: Fleet = {
    instance: instanceOf(config),
    identity,
    tls,
    enrolments,
    learnt,
    authority,
    kafka: bus,
  };
  const resources = stack.move();
  return {
    bus: framed,
    hostId: identity.subject,
    bootId: bootId(),
    agentKey: identity.signingKey,
    commandKey: identity.signingKey,
    commanders: learnt,
    enrolment: {
      keyFor: (hostId, keyId, at): KeyObject | undefined => enrolments?.keyFor(hostId, keyId, at),
      isRevoked: (keyId) => enrolments?.isRevoked(keyId) === true,
    },
    enrolled: new Map(),
    serviceKey: identity.signingKey,
    trusted: (role) => enrolments?.trusted(role) ?? (() => undefined),
    fleet,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

const instanceOf = ({ instance }: Config): string =>
  instance === 'auto' ? `${hostname().toLowerCase()}-${process.pid}` : instance;

async function authorityOf({ registrar }: Config): Promise<Authority> {
  return existsSync(join(registrar.path, 'ca.pem')) ? openAuthority(registrar.path) : createAuthority(registrar.path);
}

/** Throws OperatorError when this process has not been enrolled, or not as what it shall run. */
async function identityOf(config: Config, authority: Authority | null): Promise<FleetIdentity> {
  const { path } = config.identity;
  const roles = config.services.map(roleOf);
  const identity = loadIdentity(path) ?? (authority === null ? null : await issueOwn(config, authority));
  if (identity === null) {
    const role = roles.join(',');
    throw new OperatorError(
      `this process is not enrolled (${path} has no identity): on the registrar run "ringfence token --role ${role}", here "ringfence enrol --role ${role} --registrar https://… --token …"`,
    );
  }
  const missing = roles.filter((role) => !identity.roles.includes(role));
  if (missing.length === 0) return identity;
  throw new OperatorError(
    `the identity in ${path} is of ${identity.subject} (${identity.roles.join(', ')}), which may not run ${missing.join(', ')}: enrol with a token for that, or leave it out of "services"`,
  );
}

/** Who has the authority needs no token. */
async function issueOwn(config: Config, authority: Authority): Promise<FleetIdentity | null> {
  const { certificateDays, path } = config.registrar;
  const subject = 'registrar';
  const request = await createRequest(subject);
  const { certificate } = await authority.issue({
    csr: request.csr,
    subject,
    roles: ['registrar'],
    days: certificateDays,
  });
  writeIdentity(config.identity.path, {
    certificate,
    key: request.key,
    authority: authority.certificate,
    signingKey: createSigningKey().privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    root: readFileSync(join(path, 'root.pem'), 'utf8'),
    stateKeys: '{}',
  });
  return loadIdentity(config.identity.path);
}

function renewing({ config, log }: SiteOptions): AsyncDisposable {
  const stop = new AbortController();
  const { registrar, path: directory } = config.identity;
  const running = keepRenewed({ registrar, directory, signal: stop.signal, log });
  running.catch((err: unknown) => log.error({ err }, 'certificates are not renewed any more'));
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running.catch(() => {});
    },
  };
}

/** How this process reaches the brokers, as who it is in the fleet. */
export function brokerOptionsOf(config: Config): ReturnType<typeof kafkaOptionsOf> {
  const { clientId, tls, sasl } = config.bus.kafka;
  const { certificate, key, authority } = identityPaths(config.identity.path);
  const plain = kafkaOptionsOf(config);
  // The certificate of the fleet is the one to show, unless another was named or a password is used.
  const own = tls.enabled && tls.cert === '' && sasl.mechanism === 'none' ? { cert: certificate, key } : {};
  const withTls = tls.enabled ? { tls: { ca: authority, ...own, ...plain.tls } } : {};
  // Brokers then name each process, in their logs and to `ringfence topology`.
  return { ...plain, ...withTls, clientId: clientId === 'ringfence' ? instanceOf(config) : clientId };
}

function openBus(options: SiteOptions, { stateKeys }: FleetIdentity): Promise<KafkaBus> {
  const { config, log } = options;
  const what = `Kafka at ${config.bus.kafka.brokers.join(', ')}`;
  const stateKey = (group: string): KeyObject => {
    // A role's groups have its name, or one that begins with it and a hyphen.
    const key = stateKeys.get(group.split('-')[0] ?? '');
    if (key !== undefined) return key;
    throw new OperatorError(
      `the identity in ${config.identity.path} has no key for the state of ${group}: enrol again`,
    );
  };
  return insist(options, what, () => openKafkaBus({ ...brokerOptionsOf(config), stateKey, log }));
}

/** Makes the topics where that is allowed; else waits for whoever may. */
async function ensureTopics(options: SiteOptions, bus: Bus): Promise<void> {
  const { config } = options;
  const touched: readonly string[] = topicsOf(config.services.map(roleOf));
  const specs = topicSpecs(config, config.bus.kafka.partitions).filter(({ name }) => touched.includes(name));
  await insist(options, 'topics; "ringfence topics apply" makes them', () => bus.ensureTopics(specs));
}

/** Tries again until it works. */
async function insist<T>({ log, signal, onWaiting }: SiteOptions, what: string, attempt: () => Promise<T>): Promise<T> {
  const warnings = new Seldom(SAY_AGAIN_MS);
  for (let retries = 0; ; retries++) {
    try {
      const result = await attempt();
      onWaiting(null);
      return result;
    } catch (err) {
      if (fateOf(err) !== 'retriable') throw err;
      const { message } = err as Error;
      if (warnings.tell('waiting') !== null) log.warn({ what, why: message }, 'waiting');
      onWaiting(`waiting for ${what}: ${message}`);
      await sleep(backoffMs(retries, RETRY), undefined, { signal });
    }
  }
}
