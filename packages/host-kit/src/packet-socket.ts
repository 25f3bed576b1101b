/** Packets of all interfaces of this network namespace (packet(7)). Needs CAP_NET_RAW. */
import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import { SystemCallError } from './errors.ts';
import { checked, lastErrno, libc, type Native } from './native.ts';

const AF_PACKET = 17;
/** SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK: without the header of the link, whose format depends on the interface */
const COOKED = 0o2004002;
/** htons(ETH_P_ALL) */
const ALL_PROTOCOLS = 0x0300;
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
const SOL_PACKET = 263;
const PACKET_STATISTICS = 6;
const SIOCGSTAMPNS = 0x8907;
/** The call returns the length of the whole packet. */
const MSG_TRUNC = 0x20;
const POLLIN = 1;
const QUEUE_BYTES = 32 << 20;
const { EWOULDBLOCK, EINTR, ENETDOWN } = constants.errno;

const socket: Native<[number, number, number], number> = libc.func('int socket(int family, int type, int protocol)');
const setsockopt: Native<[number, number, number, Int32Array, number], number> = libc.func(
  'int setsockopt(int fd, int level, int name, const void *value, uint32_t size)',
);
const getsockopt: Native<[number, number, number, Buffer, Uint32Array], number> = libc.func(
  'int getsockopt(int fd, int level, int name, _Out_ void *value, _Inout_ uint32_t *size)',
);
const recvfrom: Native<[number, Buffer, number, number, Buffer, Uint32Array], number> = libc.func(
  'long recvfrom(int fd, _Out_ void *into, size_t size, int flags, _Out_ void *from, _Inout_ uint32_t *length)',
);
const poll: Native<[Buffer, number, number], number> = libc.func(
  'int poll(_Inout_ void *descriptors, unsigned long count, int timeout)',
);
const ioctl: Native<[number, number, BigInt64Array], number> = libc.func(
  'int ioctl(int fd, unsigned long request, _Out_ int64_t *into)',
);

export interface Packet {
  /** From the network layer on; valid until the next call */
  readonly bytes: Buffer;
  /** Bytes of the whole packet, more than `bytes` if that was cut */
  readonly length: number;
  /** struct sockaddr_ll: protocol, interface and address of the link; valid until the next call */
  readonly link: Buffer;
  /** When the kernel saw the packet, ns since the epoch */
  readonly time: bigint;
}

export class PacketSocket implements Disposable {
  readonly #fd: number;
  readonly #bytes: Buffer;
  readonly #link = Buffer.alloc(20);
  readonly #linkLength = new Uint32Array(1);
  readonly #time = new BigInt64Array(2);

  /** @param maxBytes of each packet; the rest is cut. Throws SystemCallError. */
  constructor(maxBytes: number) {
    this.#bytes = Buffer.alloc(maxBytes);
    this.#fd = checked('socket', socket(AF_PACKET, COOKED, ALL_PROTOCOLS));
    // Without CAP_NET_ADMIN the queue stays short, and more packets may be lost, which `lost` tells.
    setsockopt(this.#fd, SOL_SOCKET, SO_RCVBUFFORCE, new Int32Array([QUEUE_BYTES]), 4);
  }

  /** Returns the next packet; null: there was none for `waitMs`. Throws SystemCallError. */
  next(waitMs: number): Packet | null {
    const packet = this.#take();
    if (packet !== null || waitMs === 0) return packet;
    const descriptor = Buffer.alloc(8);
    descriptor.writeInt32LE(this.#fd, 0);
    descriptor.writeInt16LE(POLLIN, 4);
    if (poll(descriptor, 1, waitMs) < 0 && lastErrno() !== EINTR) throw new SystemCallError('poll', lastErrno());
    return this.#take();
  }

  #take(): Packet | null {
    this.#linkLength[0] = this.#link.length;
    const length = recvfrom(this.#fd, this.#bytes, this.#bytes.length, MSG_TRUNC, this.#link, this.#linkLength);
    if (length < 0) {
      const errno = lastErrno();
      // ENETDOWN: an interface went down; the others go on.
      if ([EWOULDBLOCK, EINTR, ENETDOWN].includes(errno)) return null;
      throw new SystemCallError('recvfrom', errno);
    }
    checked('ioctl', ioctl(this.#fd, SIOCGSTAMPNS, this.#time));
    const time = (this.#time[0] as bigint) * 1_000_000_000n + (this.#time[1] as bigint);
    return { bytes: this.#bytes.subarray(0, Math.min(length, this.#bytes.length)), length, link: this.#link, time };
  }

  /** Returns how many packets the kernel has dropped since the last call, because the queue was full. */
  lost(): number {
    const counts = Buffer.alloc(8); // struct tpacket_stats: packets, drops
    checked('getsockopt', getsockopt(this.#fd, SOL_PACKET, PACKET_STATISTICS, counts, new Uint32Array([8])));
    return counts.readUInt32LE(4);
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}
