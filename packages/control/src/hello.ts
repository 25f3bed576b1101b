import { status } from '@grpc/grpc-js';
import type { Peer } from '@ringfence/identity';
import { type Hello, MAX_UNACKNOWLEDGED, type ReceivedFromAgent } from './wire.ts';

const MAX_TEXT_CHARS = 128;

export interface HelloRefusal {
  readonly code: status;
  readonly reason: string;
}

/**
 * Returns the Hello of a stream's first message, or why it is refused. The certificate decides which host the agent may
 * speak for; the hello must match it.
 */
export function checkHello(
  message: ReceivedFromAgent | undefined,
  peer: Peer | null,
  isInForce: (serial: string) => boolean,
): Hello | HelloRefusal {
  const refuse = (code: status, reason: string): HelloRefusal => ({ code, reason });
  if (peer === null) return refuse(status.UNAUTHENTICATED, 'the client has no certificate of this fleet');
  if (!peer.roles.includes('agent'))
    return refuse(status.PERMISSION_DENIED, 'the certificate does not belong to an agent');
  const refusal = checkInForce(peer, isInForce);
  if (refusal !== null) return refusal;
  const hello = message?.hello;
  if (hello === undefined) return refuse(status.INVALID_ARGUMENT, 'the first message must be a hello');
  if (hello.hostId !== peer.subject) {
    return refuse(status.PERMISSION_DENIED, `the certificate is for ${peer.subject}, not for the host of the hello`);
  }
  const texts = [hello.bootId, hello.agentVersion, ...hello.unacknowledged];
  if (hello.unacknowledged.length > MAX_UNACKNOWLEDGED || texts.some((text) => text.length > MAX_TEXT_CHARS)) {
    return refuse(status.INVALID_ARGUMENT, 'the hello is too large');
  }
  return hello;
}

/** Returns null while the certificate is in force. Checked at each heartbeat: a stream lasts for weeks. */
export function checkInForce(peer: Peer, isInForce: (serial: string) => boolean): HelloRefusal | null {
  if (peer.notAfter <= Date.now()) {
    return { code: status.UNAUTHENTICATED, reason: 'the certificate has expired: renew it' };
  }
  if (!isInForce(peer.serial)) return { code: status.PERMISSION_DENIED, reason: 'the certificate is not in force' };
  return null;
}
