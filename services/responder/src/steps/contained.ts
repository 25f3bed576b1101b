import type { OutRecord } from '@ringfence/bus';
import { decode, encodeSigned, type Result, type SigningKey, TOPIC } from '@ringfence/wire';

/** What the detector is told when an order was carried out: the incident, or the one that the alert is of, is contained. */
export function containedBy(command: Uint8Array, { outcome, at }: Result, key: SigningKey): OutRecord[] {
  if (outcome !== 'executed') return [];
  const { cause, hostId, action, executable, pid, policy } = decode('Command', command);
  const note = `${action} ${executable} (pid ${pid}), policy ${policy}`.slice(0, 512);
  const change = { status: 'contained', verdict: 'undecided', by: 'responder', note, at } as const;
  const value = encodeSigned('Feedback', { subject: cause, hostId, change, incident: null }, key);
  return [{ topic: TOPIC.feedback, key: hostId, value }];
}
