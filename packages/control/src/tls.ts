import { once } from 'node:events';
import { isIP } from 'node:net';
import { checkServerIdentity, connect, type PeerCertificate } from 'node:tls';
import { CallCredentials, ChannelCredentials, experimental, ServerCredentials } from '@grpc/grpc-js';
import { peerOf, type TlsSource } from '@ringfence/identity';

/** Long, because thousands of agents may start their handshakes at once. */
const HANDSHAKE_TIMEOUT_MS = 30_000;

/** Mutual TLS of a server whose certificate may change at runtime; later connections use the new certificate. */
export class ServedCredentials extends ServerCredentials implements Disposable {
  readonly #watch: Disposable;

  constructor(source: TlsSource) {
    const options = { requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.3' as const };
    super({ ...options, handshakeTimeout: HANDSHAKE_TIMEOUT_MS }, contextOf(source));
    this.#watch = source.onChange(() => this.updateSecureContextOptions(contextOf(source)));
  }

  override _equals(credentials: ServerCredentials): boolean {
    return credentials === this;
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]();
  }
}

/**
 * Mutual TLS to a responder: the server's certificate must match its name and have the role `responder`. Connections
 * end when `signal` aborts: grpc-js itself leaks the socket of a handshake that never completes.
 */
export class ResponderCredentials extends ChannelCredentials {
  readonly #source: TlsSource;
  readonly #signal: AbortSignal;

  constructor(source: TlsSource, signal: AbortSignal) {
    super();
    this.#source = source;
    this.#signal = signal;
  }

  override compose(): ChannelCredentials {
    throw new TypeError('a control stream has no call credentials');
  }

  override _isSecure(): boolean {
    return true;
  }

  override _equals(credentials: ChannelCredentials): boolean {
    return credentials === this;
  }

  /** Replaces the connector of grpc-js, which sends an IP address as the server name; TLS forbids that. */
  override _createSecureConnector(...[{ path }]: ConnectorArguments): experimental.SecureConnector {
    const host = experimental.splitHostPort(path)?.host ?? path;
    const options = { ...contextOf(this.#source), host, checkServerIdentity: checkResponder, ALPNProtocols: ['h2'] };
    const named = isIP(host) === 0 ? { ...options, servername: host } : options;
    const signal = this.#signal;
    return {
      async connect(socket) {
        const end = (): void => void socket.destroy();
        signal.addEventListener('abort', end, { once: true });
        socket.once('close', () => signal.removeEventListener('abort', end));
        if (signal.aborted) end();
        const secured = connect({ ...named, socket });
        // The session reports the error; without a listener it would end the process.
        secured.on('error', () => {});
        await once(secured, 'secureConnect', { signal });
        return { socket: secured, secure: true };
      },
      waitForReady: () => Promise.resolve(),
      getCallCredentials: () => CallCredentials.createEmpty(),
      destroy: () => {},
    };
  }
}

function checkResponder(host: string, certificate: PeerCertificate): Error | undefined {
  const mismatch = checkServerIdentity(host, certificate);
  if (mismatch !== undefined) return mismatch;
  return peerOf(certificate)?.roles.includes('responder')
    ? undefined
    : new Error(`the certificate of ${host} does not belong to a responder`);
}

type ConnectorArguments = Parameters<ChannelCredentials['_createSecureConnector']>;

function contextOf(source: TlsSource): { cert: string; key: string; ca: string; minVersion: 'TLSv1.3' } {
  const { certificate, key, authority } = source.current();
  return { cert: certificate, key, ca: authority, minVersion: 'TLSv1.3' };
}
