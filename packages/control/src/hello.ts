import { status } from '@grpc/grpc-js';
import type { Peer } from '@ringfence/identity';
import { type Hello, MAX_UNACKNOWLEDGED, type ReadFromAgent } from './wire.ts';

const MAX_TEXT = 128;

export interface HelloRefusal {
  readonly code: status;
  readonly reason: string;
}

/** What is wrong with a stream's first message; a Hello when nothing is. The certificate says who may speak, the hello only repeats it. */
export function checkHello(
  message: ReadFromAgent | undefined,
  peer: Peer | null,
  inForce: (serial: string) => boolean,
): Hello | HelloRefusal {
  const refuse = (code: status, reason: string): HelloRefusal => ({ code, reason });
  if (peer === null) return refuse(status.UNAUTHENTICATED, 'no certificate of this fleet');
  if (!peer.roles.includes('agent')) return refuse(status.PERMISSION_DENIED, 'the certificate is not of an agent');
  const standing = checkStanding(peer, inForce);
  if (standing !== null) return standing;
  const hello = message?.hello;
  if (hello === undefined) return refuse(status.INVALID_ARGUMENT, 'expected a hello first');
  if (hello.hostId !== peer.subject) {
    return refuse(status.PERMISSION_DENIED, `the certificate is for ${peer.subject}, not for the host of the hello`);
  }
  const texts = [hello.bootId, hello.agentVersion, ...hello.unacknowledged];
  if (hello.unacknowledged.length > MAX_UNACKNOWLEDGED || texts.some((text) => text.length > MAX_TEXT)) {
    return refuse(status.INVALID_ARGUMENT, 'the hello is larger than any agent sends');
  }
  return hello;
}

/** null: the certificate is in force. Asked again at each heartbeat: a stream outlives its handshake by weeks. */
export function checkStanding(peer: Peer, inForce: (serial: string) => boolean): HelloRefusal | null {
  if (peer.notAfter <= Date.now()) {
    return { code: status.UNAUTHENTICATED, reason: 'the certificate has expired: renew it' };
  }
  if (!inForce(peer.serial)) return { code: status.PERMISSION_DENIED, reason: 'the certificate is not in force' };
  return null;
}
