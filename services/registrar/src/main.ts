import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Log } from '@ringfence/base';
import type { Bus } from '@ringfence/bus';
import { type Authority, createRequest, isHostId, type RegistrarResponse, type TlsMaterial } from '@ringfence/identity';
import type { Role } from '@ringfence/wire';
import { AccessLists, type SetBrokerAccess } from './access-lists.ts';
import { compileRegistrarOptions, type RegistrarOptions } from './config.ts';
import { EnrolmentStore } from './enrolment-store.ts';
import { RegistrarMetrics, type RegistrarStats } from './metrics.ts';
import { Publisher } from './publisher.ts';
import { type Revocation, Revocations, type RevokeOptions } from './revocations.ts';
import { createRegistrarServer, secureContext } from './server.ts';
import { StandingIssuer } from './standing-issuer.ts';
import { type Admission, enrolStep, type Failpoint } from './steps/enrol.ts';
import { renewStep } from './steps/renew.ts';
import { TokenStore } from './token-store.ts';

const SERVER_CERTIFICATE_DAYS = 30;
const DAY_MS = 86_400_000;

export interface RegistrarDeps {
  readonly options: RegistrarOptions;
  readonly bus: Bus;
  readonly ca: Authority;
  readonly log: Log;
  /** ms since the epoch. @default the system's clock */
  readonly now?: () => number;
  readonly failpoint?: (name: Failpoint) => void;
  /** Writes the access lists of the brokers. @default they are left alone */
  readonly setAccess?: SetBrokerAccess;
}

export interface TokenRequest {
  readonly roles: readonly Role[];
  /** @default any subject that is not enrolled yet */
  readonly subject?: string;
  /** DNS names and addresses of a service that accepts connections. @default none, for a client-only certificate */
  readonly hosts?: readonly string[];
  /** Validity of the token, ms. @default 1 h */
  readonly ttlMs?: number;
}

export interface Registrar extends AsyncDisposable {
  /** Address it listens on, `https://address:port` */
  readonly url: string;
  /** Creates a one-time token. Only its hash is stored. Throws IdentityError. */
  createToken(request: TokenRequest): string;
  /**
   * Waits until a service has left its groups, at most `leaveGraceMs`; then removes the subject's access at the brokers
   * and revokes all its keys and certificates. Resolves once that is published, or queued for the next attempt. Throws
   * RegistrarError.
   */
  revoke(subject: string, options?: RevokeOptions): Promise<Revocation>;
  stats(): RegistrarStats;
  close(): Promise<void>;
}

/** Starts the registrar; the topics must exist. Rejects when it cannot listen or read `ringfence.enrolments`. */
export async function startRegistrar(deps: RegistrarDeps): Promise<Registrar> {
  const { bus, ca, log } = deps;
  const now = deps.now ?? Date.now;
  const options = compileRegistrarOptions(deps.options);
  const metrics = new RegistrarMetrics();
  const store = new EnrolmentStore(ca.directory, ca.root);
  const tokens = new TokenStore(ca.directory, ca.fingerprint);
  const standings = new StandingIssuer({ store, root: ca.root, directory: ca.directory, log, now });
  const publisher = new Publisher({ bus, store, metrics, log, reconcileMs: options.reconcileMs });
  const access =
    deps.setAccess === undefined
      ? null
      : new AccessLists({ store, metrics, log, now, setAccess: deps.setAccess, reconcileMs: options.reconcileMs });
  const { leaveGraceMs } = options;
  const revocations = new Revocations({ store, publisher, standings, access, metrics, log, leaveGraceMs, now });
  const steps = { authority: ca, store, tokens, options, now, failpoint: deps.failpoint ?? (() => {}) };

  const complete = async (
    { response, enrolments, subject }: Admission,
    outcome: 'enrolled' | 'renewed',
  ): Promise<RegistrarResponse> => {
    if (!isHostId(subject)) await access?.update();
    await publisher.publish(enrolments);
    metrics[outcome]++;
    log.info({ subject, role: enrolments[0]?.enrolment.role, keyId: enrolments[0]?.enrolment.signingKeyId }, outcome);
    return { ...response, standing: standings.issue().toString('base64') };
  };
  const server = createRegistrarServer({
    options,
    metrics,
    log,
    tls: await issueServerCertificate(ca, options.names),
    enrol: async (body, remote) => complete(await enrolStep(steps, body, remote), 'enrolled'),
    renew: async (body, certificate) => complete(await renewStep(steps, body, certificate), 'renewed'),
    standing: () => ({ standing: standings.current().toString('base64') }),
    left: (subject) => revocations.departures.confirm(subject),
  });
  const renewal = setInterval(() => {
    issueServerCertificate(ca, options.names).then(
      (material) => server.setSecureContext(secureContext(material)),
      (error: unknown) => log.error({ error }, 'the certificate of the registrar could not be renewed'),
    );
  }, DAY_MS).unref();

  const close = async (): Promise<void> => {
    clearInterval(renewal);
    server.close();
    server.closeAllConnections();
    await revocations[Symbol.asyncDispose]();
    await access?.[Symbol.asyncDispose]();
    await publisher.close();
  };
  try {
    await publisher.reconcile();
    await access?.update();
    server.listen(options.port, options.host);
    await once(server, 'listening');
  } catch (error) {
    await close();
    throw error;
  }
  const { address, port, family } = server.address() as AddressInfo;
  return {
    url: `https://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    createToken: ({ roles, subject = null, hosts = [], ttlMs = 3_600_000 }) =>
      tokens.create({ roles, subject, hosts, expiresAt: now() + ttlMs }),
    revoke: (subject, revokeOptions) => revocations.revoke(subject, revokeOptions),
    stats: () => metrics.snapshot(),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** The certificate is kept in memory only: the authority can issue another at any time. */
async function issueServerCertificate(ca: Authority, hosts: readonly string[]): Promise<TlsMaterial> {
  const { key, csr } = await createRequest('registrar');
  const { certificate } = await ca.issue({
    csr,
    subject: 'registrar',
    roles: ['registrar'],
    hosts,
    days: SERVER_CERTIFICATE_DAYS,
  });
  return { certificate, key, authority: ca.certificate };
}
