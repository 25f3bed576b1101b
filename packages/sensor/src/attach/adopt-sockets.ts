import { closeSync } from 'node:fs';
import { pidfdGetfd, pidfdOpen, SystemCallError, socketCookie } from '@ringfence/host-kit';
import type { BpfObject } from '@ringfence/libbpf-ts';
import { records } from '@ringfence/wire';
import { ADOPT, ADOPT_COOKIES } from '../programs.ts';

/** The second run knows which ports are listened on. */
const ROUNDS = 2;

/** Finds the owners of sockets that are older than the sensor. Does nothing where the kernel rejects both programs. */
export function adoptSockets(object: BpfObject): void {
  const [asking, reading] = [object.program(ADOPT), object.program(ADOPT_COOKIES)];
  const program = asking.loaded ? asking : reading;
  if (!program.loaded) return; // It is in `missing`.
  using link = program.attachIterator();
  const run = (): Uint8Array => {
    using iterator = link.iterate();
    return iterator.readAll();
  };
  if (program === reading) makeCookies(run());
  for (let round = 0; round < ROUNDS; round++) run();
}

/** Asks for the cookies of sockets that have none, so that they get one. */
function makeCookies(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + records.SIZEOF_OPEN_DESCRIPTOR <= bytes.length; at += records.SIZEOF_OPEN_DESCRIPTOR) {
    try {
      makeCookie(records.openDescriptorTgid(view, at), records.openDescriptorDescriptor(view, at));
    } catch (error) {
      // The process has ended or closed the socket, or it may not be asked: its socket stays without an owner.
      if (!(error instanceof SystemCallError)) throw error;
    }
  }
}

function makeCookie(tgid: number, descriptor: number): void {
  const pidfd = pidfdOpen(tgid);
  try {
    const fd = pidfdGetfd(pidfd, descriptor);
    try {
      socketCookie(fd);
    } finally {
      closeSync(fd);
    }
  } finally {
    closeSync(pidfd);
  }
}
