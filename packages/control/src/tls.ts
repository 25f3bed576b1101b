import { checkServerIdentity } from 'node:tls';
import { ChannelCredentials, credentials, type experimental, ServerCredentials } from '@grpc/grpc-js';
import { peerOf, type TlsSource } from '@ringfence/identity';

/** Thousands may begin theirs at once, and wait for each other. */
const HANDSHAKE_TIMEOUT_MS = 30_000;

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

/**
 * Mutual TLS to a responder: a certificate for this name is not enough, it must be one of a responder. Connections made with it end when `signal` aborts;
 * the library itself leaves those behind that never got through their handshake, a socket for each attempt.
 */
export class ResponderCredentials extends ChannelCredentials {
  readonly #inner: ChannelCredentials;
  readonly #signal: AbortSignal;

  constructor(source: TlsSource, signal: AbortSignal) {
    super();
    const { certificate, key, authority } = source.current();
    this.#signal = signal;
    this.#inner = credentials.createSsl(Buffer.from(authority), Buffer.from(key), Buffer.from(certificate), {
      checkServerIdentity: (host, shown) =>
        checkServerIdentity(host, shown) ??
        (peerOf(shown)?.roles.includes('responder') ? undefined : new Error(`${host} is no responder`)),
    });
  }

  override compose(): ChannelCredentials {
    throw new TypeError('a control stream has no call credentials');
  }

  override _isSecure(): boolean {
    return true;
  }

  override _equals(other: ChannelCredentials): boolean {
    return other === this;
  }

  override _createSecureConnector(...args: ConnectorArguments): experimental.SecureConnector {
    const inner = this.#inner._createSecureConnector(...args);
    const signal = this.#signal;
    return {
      connect(socket) {
        const end = (): void => void socket.destroy();
        signal.addEventListener('abort', end, { once: true });
        socket.once('close', () => signal.removeEventListener('abort', end));
        if (signal.aborted) end();
        return inner.connect(socket);
      },
      waitForReady: () => inner.waitForReady(),
      getCallCredentials: () => inner.getCallCredentials(),
      destroy: () => inner.destroy(),
    };
  }
}

type ConnectorArguments = Parameters<ChannelCredentials['_createSecureConnector']>;

function contextOf(source: TlsSource): { cert: string; key: string; ca: string; minVersion: 'TLSv1.3' } {
  const { certificate, key, authority } = source.current();
  return { cert: certificate, key, ca: authority, minVersion: 'TLSv1.3' };
}
