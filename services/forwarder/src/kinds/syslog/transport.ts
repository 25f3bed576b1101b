import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { messageOf } from '@ringfence/base';
import { SinkUnavailableError } from '../../errors.ts';
import type { TlsSettings } from '../../settings/common.ts';

/** Carries messages to a syslog server. */
export interface SyslogTransport {
  /** Rejects with SinkUnavailableError. */
  send(messages: readonly string[], signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export interface Endpoint {
  /** Name of the sink, for messages */
  readonly sink: string;
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly tls: Pick<TlsSettings, 'ca' | 'cert' | 'key'>;
  readonly timeoutMs: number;
}

/** Resolves with a connected socket, whose certificate is verified if it is encrypted. */
export async function openSocket(endpoint: Endpoint, encrypted: boolean, signal: AbortSignal): Promise<Socket> {
  const { host, port, tls, timeoutMs, sink, url } = endpoint;
  const file = (path: string | undefined): Buffer | undefined => (path === undefined ? undefined : readFileSync(path));
  let socket: Socket | TLSSocket | undefined;
  try {
    const files = encrypted ? { ca: file(tls.ca), cert: file(tls.cert), key: file(tls.key) } : {};
    const present = Object.fromEntries(Object.entries(files).filter(([, value]) => value !== undefined));
    const name = isIP(host) === 0 ? { servername: host } : {};
    socket = encrypted ? connectTls({ host, port, ...name, ...present }) : connectTcp({ host, port });
    socket.setNoDelay(true);
    const either = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    await once(socket, encrypted ? 'secureConnect' : 'connect', { signal: either });
    return socket;
  } catch (error) {
    socket?.destroy();
    throw unavailable({ sink, url }, error);
  }
}

export const unavailable = ({ sink, url }: Pick<Endpoint, 'sink' | 'url'>, error: unknown): SinkUnavailableError =>
  error instanceof SinkUnavailableError
    ? error
    : new SinkUnavailableError(sink, `${url}: ${messageOf(error) || 'the connection was closed'}`, { cause: error });
