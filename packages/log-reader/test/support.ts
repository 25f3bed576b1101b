import { verify } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '@ringfence/base';
import type { Bus } from '@ringfence/bus';
import { identity } from '@ringfence/testkit/agent';
import { TOPIC } from '@ringfence/wire';
import { type LogOptions, LogReader } from '../src/log-reader.ts';

export class LogPlace implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), 'ringfence-logs-'));
  readonly stateDir: string = join(this.path, 'state');
  readonly log: string = join(this.path, 'auth.log');

  constructor() {
    mkdirSync(this.stateDir);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

export interface Document {
  readonly '@timestamp': string;
  readonly message: string;
  readonly input: { readonly type: string };
  readonly log: {
    readonly file?: { readonly path: string };
    readonly offset?: number;
    readonly flags?: readonly string[];
    readonly syslog?: { readonly appname: string };
  };
  readonly ringfence: { readonly sequence: number; readonly length: number };
  readonly process?: { readonly pid: number };
  readonly event: { readonly created: string };
  readonly agent: object;
  readonly host: object;
  readonly systemd?: { readonly unit: string };
}

export interface Head {
  readonly host_id: string;
  readonly run: string;
  readonly sequence: number;
  readonly drops: Readonly<Record<string, number>>;
}

/** Parses a record of logs-raw and checks its signature. */
export function parseRecord(value: Uint8Array): { readonly head: Head; readonly documents: readonly Document[] } {
  const bytes = Buffer.from(value);
  const end = bytes.lastIndexOf('\n') + 1;
  const { signature } = JSON.parse(bytes.toString('utf8', end)) as { signature: { ed25519: string } };
  const valid = verify(null, bytes.subarray(0, end), identity.key.publicKey, Buffer.from(signature.ed25519, 'base64'));
  if (!valid) throw new Error('the signature is not valid');
  const lines = bytes.toString('utf8', 0, end - 1).split('\n');
  const [head, ...documents] = lines.map((line) => JSON.parse(line) as unknown);
  return { head: (head as { ringfence: Head }).ringfence, documents: documents as Document[] };
}

/** Returns all documents on the bus, in order. */
export async function documentsOn(bus: Bus): Promise<Document[]> {
  const documents: Document[] = [];
  for await (const { value } of bus.read({ topic: TOPIC.logsRaw }))
    if (value !== null) documents.push(...parseRecord(value).documents);
  return documents;
}

export function startReader(place: LogPlace, bus: Pick<Bus, 'produce'>, options: Partial<LogOptions> = {}): LogReader {
  return new LogReader({
    options: { files: [place.log], journald: 'off', linesPerSecond: 100_000, pollMs: 5, restMs: 500, ...options },
    stateDir: place.stateDir,
    bus,
    identity,
    log: silentLog,
  });
}

/** Waits until there are `count` documents on the bus. */
export async function linesOn(bus: Bus, count: number): Promise<Document[]> {
  for (;;) {
    const documents = await documentsOn(bus);
    if (documents.length >= count) return documents;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
