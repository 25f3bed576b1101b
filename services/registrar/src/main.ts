import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Log } from '@ringfence/base';
import type { Bus } from '@ringfence/bus';
import { type Authority, createRequest, type TlsMaterial } from '@ringfence/identity';
import type { Role } from '@ringfence/wire';
import { Book, type Page } from './book.ts';
import { compileRegistrarOptions, type RegistrarOptions } from './config.ts';
import { RegistrarMetrics, type RegistrarStats } from './metrics.ts';
import { Publisher } from './publisher.ts';
import { createRegistrarServer, secureContext } from './server.ts';
import { type Admitted, enrolStep, type Failpoint } from './steps/enrol.ts';
import { renewStep } from './steps/renew.ts';
import { revokeStep } from './steps/revoke.ts';
import { Tokens } from './tokens.ts';

const OWN_CERTIFICATE_DAYS = 30;
const DAY = 86_400_000;

export interface RegistrarDeps {
  readonly options: RegistrarOptions;
  readonly bus: Bus;
  readonly ca: Authority;
  readonly log: Log;
  /** ms since the epoch. @default the system's clock */
  readonly now?: () => number;
  readonly failpoint?: (name: Failpoint) => void;
}

export interface TokenRequest {
  readonly roles: readonly Role[];
  /** @default anyone who isn't enrolled yet */
  readonly subject?: string;
  /** DNS names and addresses that a service will serve under. @default none: a client only */
  readonly hosts?: readonly string[];
  /** ms. @default 1 h */
  readonly ttlMs?: number;
}

export interface Registrar extends AsyncDisposable {
  /** `https://address:port` that it listens on */
  readonly url: string;
  /** A one-time token: shown once, kept as its hash. Throws IdentityError. */
  createToken(request: TokenRequest): string;
  /** Takes back all keys and certificates of a subject; resolves to the number of keys when the bus knows, or will. Throws RegistrarError. */
  revoke(subject: string): Promise<number>;
  stats(): RegistrarStats;
  close(): Promise<void>;
}

/** Starts enrolling. The topics must exist. Rejects when it can't listen, or `ringfence.enrolments` can't be read. */
export async function startRegistrar(deps: RegistrarDeps): Promise<Registrar> {
  const { bus, ca, log } = deps;
  const now = deps.now ?? Date.now;
  const options = compileRegistrarOptions(deps.options);
  const metrics = new RegistrarMetrics();
  const book = new Book(ca.directory, ca.root);
  const tokens = new Tokens(ca.directory, ca.fingerprint);
  const publisher = new Publisher({ bus, book, metrics, log, reconcileMs: options.reconcileMs });
  const steps = { authority: ca, book, tokens, options, now, failpoint: deps.failpoint ?? (() => {}) };

  const admit = async (
    { answer, pages, subject }: Admitted,
    what: 'enrolled' | 'renewed',
  ): Promise<Admitted['answer']> => {
    await publisher.publish(pages);
    metrics[what]++;
    log.info({ subject, role: pages[0]?.enrolment.role, keyId: pages[0]?.enrolment.signingKeyId }, what);
    return answer;
  };
  const server = createRegistrarServer({
    options,
    metrics,
    log,
    tls: await ownCertificate(ca, options.names),
    enrol: async (body, remote) => admit(await enrolStep(steps, body, remote), 'enrolled'),
    renew: async (body, certificate) => admit(await renewStep(steps, body, certificate), 'renewed'),
  });
  const renewal = setInterval(() => {
    ownCertificate(ca, options.names).then(
      (material) => server.setSecureContext(secureContext(material)),
      (error: unknown) => log.error({ error }, "the registrar's own certificate could not be renewed"),
    );
  }, DAY).unref();

  const close = async (): Promise<void> => {
    clearInterval(renewal);
    server.close();
    server.closeAllConnections();
    await publisher.close();
  };
  try {
    await publisher.reconcile();
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
    async revoke(subject) {
      const pages: Page[] = revokeStep(book, subject, now());
      await publisher.publish(pages);
      metrics.revoked += pages.length;
      log.info({ subject, keys: pages.length }, 'revoked');
      return pages.length;
    },
    stats: () => metrics.snapshot(),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** In memory only: the authority is at hand for another one. */
async function ownCertificate(ca: Authority, hosts: readonly string[]): Promise<TlsMaterial> {
  const { key, csr } = await createRequest('registrar');
  const { certificate } = await ca.issue({
    csr,
    subject: 'registrar',
    roles: ['registrar'],
    hosts,
    days: OWN_CERTIFICATE_DAYS,
  });
  return { certificate, key, authority: ca.certificate };
}
