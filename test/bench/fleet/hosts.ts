import { randomBytes } from 'node:crypto';
import type { Bus } from '@ringfence/bus';
import { openAuthority } from '@ringfence/identity';
import {
  createSigningKey,
  decode,
  encodeSigned,
  RawBatchReader,
  RawBatchWriter,
  type SigningKey,
  signBytes,
  TOPIC,
} from '@ringfence/wire';

/** A host that exists only in the records sent for it, enrolled like an agent */
export interface SimulatedHost {
  readonly hostId: string;
  readonly key: SigningKey;
}

const HOSTS_PER_REQUEST = 200;

/** Enrols hosts as the registrar does, but without certificates, because no host connects to a broker. */
export async function enrolHosts(bus: Bus, authorityPath: string, count: number): Promise<SimulatedHost[]> {
  const { root } = await openAuthority(authorityPath);
  const hosts = Array.from({ length: count }, () => ({ hostId: hostId(), key: createSigningKey() }));
  for (let at = 0; at < count; at += HOSTS_PER_REQUEST) {
    await bus.produce(
      hosts.slice(at, at + HOSTS_PER_REQUEST).map(({ hostId: subject, key }) => ({
        topic: TOPIC.enrolments,
        key: `${subject}/${key.keyId}`,
        value: encodeSigned(
          'Enrolment',
          {
            subject,
            role: 'agent',
            publicKey: key.publicKey.export({ type: 'spki', format: 'der' }),
            signingKeyId: key.keyId,
            certificateSerials: [],
            issuedAt: Date.now() * 1000 - 60_000_000,
            revokedAt: 0,
            version: 1,
          },
          root,
        ),
      })),
    );
  }
  return hosts;
}

const hostId = (): string => randomBytes(16).toString('hex');

/** Rewrites batches as if another host had sent them, with that host's id and signature. */
export class Rewriter {
  readonly #reader = new RawBatchReader();
  readonly #writers = new Map<string, RawBatchWriter>();

  rewrite(
    bytes: Buffer,
    { hostId: newHostId, key }: SimulatedHost,
  ): { readonly bytes: Buffer; readonly events: number } {
    this.#reader.open(bytes);
    const { bootId, run, agentVersion, hostId: _, ...facts } = this.#reader.head;
    const writer = this.#writers.get(newHostId) ?? new RawBatchWriter({ hostId: newHostId, bootId, run, agentVersion });
    this.#writers.set(newHostId, writer);
    while (this.#reader.next()) {
      const { cursor } = this.#reader;
      writer.begin(cursor).append(cursor.buffer, cursor.startAt, cursor.eventEnd);
    }
    const events = writer.count;
    const sign = (batch: Uint8Array): Uint8Array => signBytes(key, batch);
    return { bytes: writer.finish({ ...facts, keyId: key.keyId, sign }), events };
  }
}

/** Returns the share of each kind among all events. */
export function sharesOf(batches: readonly Buffer[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  let total = 0;
  for (const bytes of batches) {
    for (const { body } of decode('RawBatch', bytes).events) {
      const [kind = '?'] = Object.keys(body);
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
      total++;
    }
  }
  return new Map([...counts].map(([kind, number]) => [kind, number / total]));
}
