import { checkServerIdentity } from 'node:tls';
import { type ChannelCredentials, credentials, ServerCredentials } from '@grpc/grpc-js';
import { peerOf, type TlsSource } from '@ringfence/identity';

const HANDSHAKE_TIMEOUT_MS = 10_000;

/** Mutual TLS of a server whose certificate may change while it runs: connections made later have the new one. */
export class ServedCredentials extends ServerCredentials implements Disposable {
  readonly #watch: Disposable;

  constructor(source: TlsSource) {
    const options = { requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.3' as const };
    super({ ...options, handshakeTimeout: HANDSHAKE_TIMEOUT_MS }, contextOf(source));
    this.#watch = source.onChange(() => this.updateSecureContextOptions(contextOf(source)));
  }

  override _equals(other: ServerCredentials): boolean {
    return other === this;
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]();
  }
}

/** Mutual TLS to a responder: a certificate for this name is not enough, it must be one of a responder. */
export function responderCredentials(source: TlsSource): ChannelCredentials {
  const { certificate, key, authority } = source.current();
  return credentials.createSsl(Buffer.from(authority), Buffer.from(key), Buffer.from(certificate), {
    checkServerIdentity: (host, shown) =>
      checkServerIdentity(host, shown) ??
      (peerOf(shown)?.roles.includes('responder') ? undefined : new Error(`${host} is no responder`)),
  });
}

function contextOf(source: TlsSource): { cert: string; key: string; ca: string; minVersion: 'TLSv1.3' } {
  const { certificate, key, authority } = source.current();
  return { cert: certificate, key, ca: authority, minVersion: 'TLSv1.3' };
}
