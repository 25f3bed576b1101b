import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { type Endpoint, type SyslogTransport, unavailable } from './transport.ts';

/** What fits into a datagram over IPv4; RFC 5426 asks receivers for 2,048 bytes only. */
const DATAGRAM_MAX_BYTES = 65_507;

/** One datagram a message (RFC 5426). Nothing says whether it arrived. */
export class UdpTransport implements SyslogTransport {
  readonly #endpoint: Endpoint;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  async send(messages: readonly string[]): Promise<void> {
    const { host, port } = this.#endpoint;
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    try {
      for (const message of messages) await sendDatagram(socket, cut(Buffer.from(message)), host, port);
    } catch (error) {
      throw unavailable(this.#endpoint, error);
    } finally {
      socket.close();
    }
  }

  async close(): Promise<void> {}
}

const cut = (bytes: Buffer): Buffer => bytes.subarray(0, DATAGRAM_MAX_BYTES);

function sendDatagram(
  socket: ReturnType<typeof createSocket>,
  bytes: Buffer,
  host: string,
  port: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.send(bytes, port, host, (error) => (error ? reject(error) : resolve()));
  });
}
