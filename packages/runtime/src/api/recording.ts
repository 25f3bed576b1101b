import type { KeyObject } from 'node:crypto';
import { OperatorError } from '@ringfence/base';
import type { InRecord } from '@ringfence/bus';
import {
  claimedSigner,
  isSignedLines,
  keyOfHost,
  recordingEntry,
  recordingHeader,
  SchemaError,
  TOPIC,
} from '@ringfence/wire';
import type { App } from '../app.ts';
import type { Deployment } from '../deployment/deployment.ts';

/** The header of a recording, which has the keys, is bounded. */
const MAX_HOSTS = 20_000;
/** Reading ends at a record this much later than the range, µs: records of several partitions are nearly in order. */
const LATE_US = 60_000_000;

export interface RecordingRange {
  /** µs since the epoch, by the clock of the brokers */
  readonly from: 'earliest' | 'latest' | number;
  /** µs since the epoch; null: until the client disconnects */
  readonly until: number | null;
  /** Ids of hosts; empty: all */
  readonly hosts: readonly string[];
}

/** Parses `?past=1`, or `?from=µs`, with `&until=µs` and any number of `&host=ID`. Throws OperatorError. */
export function rangeOf(query: URLSearchParams): RecordingRange {
  const numberOf = (name: string): number | null => {
    const text = query.get(name);
    if (text === null) return null;
    if (!/^\d{1,16}$/.test(text)) throw new OperatorError(`${name}: expected µs since the epoch`);
    return Number(text);
  };
  const until = numberOf('until');
  const past = query.get('past') === '1' || until !== null ? 'earliest' : 'latest';
  return { from: numberOf('from') ?? past, until, hosts: query.getAll('host') };
}

/** Yields a recording of the range. Throws OperatorError if this process can't read the reports of hosts. */
export function recordingOf(app: App, range: RecordingRange, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const { deployment, services } = app;
  if (deployment.fleet !== null && services.enricher === undefined)
    throw new OperatorError('this process does not read the reports of hosts: run the command where an enricher runs');
  return entries(deployment, range, recordingHeader(keysOf(deployment, range)), signal);
}

async function* entries(
  deployment: Deployment,
  { from, until, hosts }: RecordingRange,
  header: Buffer,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  yield header;
  const topic = [TOPIC.raw, TOPIC.logsRaw];
  const isWanted = hosts.length === 0 ? () => true : (host: string) => hosts.includes(host);
  for await (const record of deployment.bus.read({ topic, from, follow: until === null, signal })) {
    const { value, timestamp } = record;
    if (until !== null && timestamp > until + LATE_US) return;
    if (value === null || (until !== null && timestamp > until) || !isWanted(record.key)) continue;
    // Lines from Filebeat are left out: they are not signed, so a replay could not attribute them to a host.
    if (record.topic === TOPIC.logsRaw && !isSignedLines(value)) continue;
    if (deployment.fleet === null || isInForce(deployment, record, value)) yield recordingEntry(value);
  }
}

/** Whether the key of the record was in force when the brokers accepted it: a replay knows no revocations. */
function isInForce({ enrolment }: Deployment, { key: host, topic, timestamp }: InRecord, value: Uint8Array): boolean {
  try {
    const keyId = topic === TOPIC.raw ? claimedSigner(value) : signerOfLines(value);
    return enrolment.keyFor(host, keyId, timestamp) !== undefined;
  } catch (error) {
    if (error instanceof SchemaError || error instanceof SyntaxError || error instanceof TypeError) return false;
    throw error;
  }
}

/** Returns the key id in the last of signed log lines. Throws SyntaxError or TypeError when there is none. */
function signerOfLines(value: Uint8Array): string {
  const text = Buffer.from(value).toString('utf8');
  const { signature } = JSON.parse(text.slice(text.lastIndexOf('\n') + 1)) as { signature: { key_id?: unknown } };
  return String(signature.key_id);
}

/** Returns the newest key of each host, and all keys of a host that has had several. */
function keysOf({ enrolled, fleet }: Deployment, { hosts }: RecordingRange): ReadonlyMap<string, KeyObject> {
  const enrolments = fleet?.enrolments;
  if (enrolments === undefined || enrolments === null) return enrolled;
  const agents =
    hosts.length > 0 ? hosts.map((host) => enrolments.ofSubject(host)) : byHost(enrolments.withRole('agent'));
  if (agents.length > MAX_HOSTS)
    throw new OperatorError(`a recording holds at most ${MAX_HOSTS} hosts: name some with --host`);
  const keys = new Map<string, KeyObject>();
  for (const found of agents) {
    for (const { subject, signingKeyId, issuedAt } of [...found].sort((a, b) => a.issuedAt - b.issuedAt)) {
      const key = enrolments.keyFor(subject, signingKeyId, issuedAt);
      if (key === undefined) continue;
      if (found.length > 1) keys.set(keyOfHost(subject, signingKeyId), key);
      keys.set(subject, key);
    }
  }
  return keys;
}

const byHost = <E extends { readonly subject: string }>(agents: readonly E[]): readonly E[][] => [
  ...Map.groupBy(agents, ({ subject }) => subject).values(),
];
