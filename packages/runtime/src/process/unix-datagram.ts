import { closeSync } from 'node:fs';
import { OperatorError } from '@ringfence/base';
import { records, SOCK } from '@ringfence/wire';
import koffi from 'koffi';

const { AF_UNIX } = records.AddressFamily;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
const MSG_NOSIGNAL = 0x4000;
/** sizeof(sun_path) */
const PATH_MAX = 108;

type Native<A extends unknown[]> = (...args: A) => number;
const libc = koffi.load('libc.so.6');
const socketCall: Native<[number, number, number]> = libc.func('int socket(int family, int type, int protocol)');
const sendTo: Native<[number, Buffer, number, number, Buffer, number]> = libc.func(
  'long sendto(int fd, const void *bytes, size_t size, int flags, const void *address, unsigned int length)',
);

/** Sends datagrams to a unix socket, which Node can't. */
export class UnixDatagram implements Disposable {
  readonly #fd: number;
  readonly #address: Buffer;

  /** @param address absolute path, or `@` and an abstract name. Throws OperatorError for any other. */
  constructor(address: string) {
    const isAbstract = address.startsWith('@');
    const path = Buffer.from(isAbstract ? `\0${address.slice(1)}` : `${address}\0`);
    if (!(isAbstract || address.startsWith('/')) || path.length < 2 || path.length > PATH_MAX)
      throw new OperatorError(`not the address of a unix socket: ${address}`);
    // struct sockaddr_un
    this.#address = Buffer.concat([Uint8Array.of(AF_UNIX, 0), path]);
    this.#fd = socketCall(AF_UNIX, SOCK.DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (this.#fd < 0) throw new OperatorError(`socket failed: errno ${koffi.errno()}`);
  }

  /** Never waits. Returns false if there is no such socket, no permission, or no room in its queue. */
  send(text: string): boolean {
    const bytes = Buffer.from(text);
    return sendTo(this.#fd, bytes, bytes.length, MSG_NOSIGNAL, this.#address, this.#address.length) >= 0;
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}
