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

/** A host that exists only in what it sends, enrolled in the fleet as agents are. */
export interface SimulatedHost {
  readonly hostId: string;
  readonly key: SigningKey;
}

const AT_ONCE = 200;

/** Enrols as the registrar does, without certificates: nobody here connects to a broker as a host. */
export async function enrolHosts(bus: Bus, authorityPath: string, count: number): Promise<SimulatedHost[]> {
  const { root } = await openAuthority(authorityPath);
  const hosts = Array.from({ length: count }, () => ({ hostId: hostId(), key: createSigningKey() }));
  for (let at = 0; at < count; at += AT_ONCE) {
    await bus.produce(
      hosts.slice(at, at + AT_ONCE).map(({ hostId: subject, key }) => ({
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

/** Batches of one host as another would have sent them: same events, its own name and signature. */
export class Rewriter {
  readonly #reader = new RawBatchReader();
  readonly #writers = new Map<string, RawBatchWriter>();

  rewrite(bytes: Buffer, { hostId: own, key }: SimulatedHost): { readonly bytes: Buffer; readonly events: number } {
    this.#reader.open(bytes);
    const { bootId, run, agentVersion, hostId: _, ...facts } = this.#reader.head;
    const writer = this.#writers.get(own) ?? new RawBatchWriter({ hostId: own, bootId, run, agentVersion });
    this.#writers.set(own, writer);
    while (this.#reader.next()) {
      const { cursor } = this.#reader;
      writer.begin(cursor).append(cursor.buffer, cursor.startAt, cursor.eventEnd);
    }
    const events = writer.count;
    const sign = (whole: Uint8Array): Uint8Array => signBytes(key, whole);
    return { bytes: writer.finish({ ...facts, keyId: key.keyId, sign }), events };
  }
}

/** Of all events, how many are of a kind. */
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
  return new Map([...counts].map(([kind, seen]) => [kind, seen / total]));
}
