import type { Effect, InRecord, StateChange, StateEntry } from '@ringfence/bus';
import { catalogue } from '@ringfence/fields';
import { consumerRecords, type SyntheticHost } from '@ringfence/synthetic';
import { decode, type EventBatch, EventView, KIND, type Process } from '@ringfence/wire';
import type { EnricherOptions } from '../src/config.ts';
import { createEnricherPipeline, type EnricherPipeline } from '../src/pipeline.ts';

export function createTestEnricher(host: SyntheticHost, options: EnricherOptions = {}): EnricherPipeline {
  const keyFor = (hostId: string) => (hostId === host.hostId ? host.key.publicKey : undefined);
  return createEnricherPipeline({ enrolment: { keyFor }, options });
}

/** A store with the state changes of effects, as on a bus. */
export class TestStore {
  readonly #entries = new Map<string, StateChange>();

  apply({ state }: Effect): void {
    for (const change of state) {
      if (change.value === null) this.#entries.delete(change.key);
      else this.#entries.set(change.key, change);
    }
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Returns the entries as sorted lines, for comparison. */
  dump(): string[] {
    return [...this.#entries.values()]
      .map(({ key, value }) => `${key} ${Buffer.from(value ?? []).toString('hex')}`)
      .sort();
  }

  async *entries(): AsyncGenerator<StateEntry & { readonly partition: number }> {
    for (const { key, value, partition, position } of [...this.#entries.values()].sort((a, b) =>
      a.key < b.key ? -1 : 1,
    )) {
      if (value !== null) yield { key, value, partition, position };
    }
  }
}

export interface SeenEvent {
  readonly id: string;
  readonly kind: number;
  readonly partial: string;
  readonly executable: string | undefined;
  readonly args: readonly string[] | undefined;
  readonly user: string | undefined;
  /** executables from the process to the root */
  readonly lineage: readonly string[];
  readonly container: string | undefined;
  readonly writer: string | undefined;
  readonly writtenAgo: number;
}

export function seenIn(batch: Uint8Array): SeenEvent[] {
  const view = new EventView();
  view.open(batch);
  const seen: SeenEvent[] = [];
  while (view.next()) {
    const lineage: string[] = [];
    for (let process = view.process; process !== undefined; process = process.parent) lineage.push(process.executable);
    seen.push({
      id: view.id,
      kind: view.cursor.kind,
      partial: view.partial,
      executable: view.process?.executable,
      args: view.process?.args,
      user: view.process?.raw.user,
      lineage,
      container: view.container?.id,
      writer: view.writer?.executable,
      writtenAgo: view.writtenAgo,
    });
  }
  return seen;
}

/** Returns the enriched events of the host's next batch. */
export function enrichOne(enricher: EnricherPipeline, host: SyntheticHost, offset = 0): SeenEvent[] {
  const { outputs } = enricher.handle(consumerRecords(host.hostId, [host.batch()], undefined, offset));
  return outputs.flatMap(({ value }) => (value === null ? [] : seenIn(value)));
}

export function decodedBatch(enricher: EnricherPipeline, host: SyntheticHost): EventBatch {
  const [output] = enricher.handle(consumerRecords(host.hostId, [host.batch()])).outputs;
  return decode('EventBatch', output?.value ?? new Uint8Array());
}

export const executableOf = (process: Process | undefined): string => Buffer.from(process?.executable ?? []).toString();

export const records = (host: SyntheticHost, batches: readonly Uint8Array[], offset = 0): InRecord[] =>
  consumerRecords(host.hostId, batches, undefined, offset);

/** Returns the named fields of each exec. */
export function fieldsOfExecs(host: SyntheticHost, names: readonly string[]): unknown[][] {
  const fields = names.map((name) => catalogue.fields.find((field) => field.name === name)!);
  const [batch] = createTestEnricher(host).handle(records(host, [host.batch()])).outputs;
  const view = new EventView();
  view.open(batch!.value!);
  const rows: unknown[][] = [];
  while (view.next()) if (view.cursor.kind === KIND.Exec) rows.push(fields.map((field) => field.get(view)));
  return rows;
}
