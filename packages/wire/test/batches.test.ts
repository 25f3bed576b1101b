import assert from 'node:assert/strict';
import test from 'node:test';
import { catalogue, eventKinds, type FieldValue } from '@ringfence/fields';
import fc from 'fast-check';
import { decode, encode } from '../src/avro/codec.ts';
import { KIND } from '../src/avro/layout.ts';
import { typeOf } from '../src/avro/schemas.ts';
import { EventBatchWriter, EventView } from '../src/batch/event-batch.ts';
import { RawBatchReader, RawBatchWriter } from '../src/batch/raw-batch.ts';
import { SchemaError } from '../src/errors.ts';
import type { EventBatch, RawBatch } from '../src/generated/types.generated.ts';
import { enriched, eventBatch, process, rawBatch } from './arbitraries.ts';

test('RawBatchWriter writes the same bytes as avsc', () => {
  const reader = new RawBatchReader();
  fc.assert(
    fc.property(rawBatch, (batch) => {
      const bytes = encode('RawBatch', batch);
      const { hostId, bootId, run, agentVersion, ...end } = batch;
      const writer = new RawBatchWriter({ hostId, bootId, run, agentVersion });
      reader.open(bytes);
      for (const wanted of batch.events) {
        assert.ok(reader.next());
        const { cursor } = reader;
        const out = writer.begin(cursor);
        out.append(cursor.buffer, cursor.startAt, cursor.eventEnd);
        assert.equal(cursor.execId, wanted.execId);
      }
      assert.equal(reader.next(), false);
      assert.equal(reader.keyId(), batch.keyId);
      const copy = writer.finish({ ...end, sign: () => batch.signature });
      assert.deepEqual(copy, bytes);
    }),
    { numRuns: 150, endOnFailure: true },
  );
});

test('EventBatchWriter writes the same bytes as avsc, and EventView reads every field', () => {
  const writer = new EventBatchWriter();
  const view = new EventView();
  const eventType = typeOf('Event');
  fc.assert(
    fc.property(eventBatch, (batch) => {
      writer.reset();
      const { events, ...head } = batch;
      for (const { event, process, container, writer: writtenBy, writtenAgo, partial } of events) {
        const raw = eventType.toBuffer(event);
        writer.add(process, container, writtenBy, writtenAgo, partial, raw, 0, raw.length);
      }
      const bytes = writer.finish(head);
      assert.deepEqual(bytes, encode('EventBatch', batch));
      view.open(bytes);
      const whole = decode('EventBatch', bytes);
      for (const { event, process, container, writtenAgo } of events) {
        assert.ok(view.next());
        assert.deepEqual(view.process?.raw, whole.processes[process]);
        assert.deepEqual(view.container, whole.containers[container]);
        assert.equal(view.writtenAgo, writtenAgo);
        assert.equal(view.cursor.sequence, event.sequence);
        assert.deepEqual(
          eventType.fromBuffer(view.cursor.buffer.subarray(view.cursor.eventAt, view.cursor.eventEnd)),
          eventType.clone(event),
        );
      }
      assert.equal(view.next(), false);
    }),
    { numRuns: 150, endOnFailure: true },
  );
});

test('a batch cut at any byte is refused with a SchemaError and never read past its end', () => {
  const [batch] = fc.sample(rawBatch, { numRuns: 1, seed: 7 }) as [RawBatch];
  const bytes = encode('RawBatch', batch);
  const reader = new RawBatchReader();
  for (let length = 0; length < bytes.length - 64; length++) {
    assert.throws(
      () => {
        reader.open(bytes.subarray(0, length));
        while (reader.next());
        reader.keyId();
      },
      SchemaError,
      `cut at ${length}`,
    );
  }
});

/** Reads all properties of the event's lineage: nothing that was walked may throw. */
function readLineage(view: EventView): void {
  assert.doesNotThrow(() => {
    for (let { process } = view, depth = 0; process !== undefined; process = process.parent) {
      assert.ok(depth++ < 100);
      const { uid, euid, entityId, executable, args, raw } = process;
      assert.deepEqual([uid, euid], [raw.credentials.uid, raw.credentials.euid]);
      assert.equal(entityId, Buffer.from(raw.entityId).toString('hex'));
      assert.equal(typeof executable, 'string');
      assert.ok(Array.isArray(args));
    }
  });
}

test('a batch with a changed byte is read or refused with a SchemaError', () => {
  const [batch] = fc.sample(eventBatch, { numRuns: 1, seed: 11 }) as [EventBatch];
  const bytes = encode('EventBatch', batch);
  const view = new EventView();
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, value) => {
      const hostile = Buffer.from(bytes);
      hostile[at] = value;
      try {
        view.open(hostile);
        while (view.next()) readLineage(view);
        decode('EventBatch', hostile);
      } catch (error) {
        assert.ok(error instanceof SchemaError, String(error));
      }
    }),
    { numRuns: 1000 },
  );
});

test('a process has no parent if its index is not that of an earlier process, and no lineage is endless', () => {
  const [template] = fc.sample(process, { numRuns: 1, seed: 3 }) as [EventBatch['processes'][number]];
  const [entry] = fc.sample(enriched, { numRuns: 1, seed: 3 }) as [EventBatch['events'][number]];
  const [batch] = fc.sample(eventBatch, { numRuns: 1, seed: 3 }) as [EventBatch];
  const parents = [1, 0, 2, 7, -1, 1, ...Array.from({ length: 200 }, (_, i) => i + 5)];
  const processes = parents.map((parent, pid) => ({ ...template, parent, pid }));
  const events = processes.map((_, at) => ({ ...entry, process: at }));
  const view = new EventView();
  view.open(encode('EventBatch', { ...batch, processes, events }));
  const found: (number | undefined)[] = [];
  while (view.next()) {
    found.push(view.process?.parent?.raw.pid);
    readLineage(view);
  }
  assert.deepEqual(found.slice(0, 7), [undefined, 0, undefined, undefined, undefined, 1, 5]);
});

test('a number that exceeds its field is refused in processes too', () => {
  const [batch] = fc.sample(eventBatch, { numRuns: 1, seed: 3 }) as [EventBatch];
  const [template] = fc.sample(process, { numRuns: 1, seed: 3 }) as [EventBatch['processes'][number]];
  const marked = encode('EventBatch', {
    ...batch,
    processes: [{ ...template, pid: 0x7abcdef, argsLength: 0x7abcdee }],
  });
  for (const number of [0x7abcdef, 0x7abcdee]) {
    // Replaces the number of four bytes by one of six, which has more than 32 bits.
    const hostile = Buffer.from(marked);
    const encoded = varint(2 * number);
    const at = hostile.indexOf(encoded);
    assert.ok(at > 0);
    const longer = Buffer.concat([
      hostile.subarray(0, at),
      Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
      hostile.subarray(at + encoded.length),
    ]);
    assert.throws(() => new EventView().open(longer), { code: 'ERR_SCHEMA_MALFORMED', message: /not a 32-bit number/ });
  }
});

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; bytes.length === 0 || rest > 0; rest >>>= 7)
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
  return Buffer.from(bytes);
}

test('kinds have the numbers of their branches in event.avsc', () => {
  assert.deepEqual([KIND.Fork, KIND.Exec, KIND.Exit, KIND.Open, KIND.Tick], [0, 1, 2, 4, 6]);
  assert.ok(decode('RawBatch', encode('RawBatch', fc.sample(rawBatch, 1)[0] as RawBatch)));
});

test('a field has one value per subject, and a subject within another one is determined by it', () => {
  const view = new EventView();
  const about = catalogue.fields.flatMap(({ name, kinds, subject, argument, get }) => {
    if (subject === undefined || argument === 'key') return [];
    const all = argument === undefined ? [undefined] : [undefined, 0, 1, 2];
    return all.map((index) => ({
      name: `${name}[${index}]`,
      kinds,
      subject: typeof subject === 'function' ? subject(index) : subject,
      get: (event: EventView): FieldValue => get(event, index),
    }));
  });
  let repeated = 0;
  let nested = 0;
  fc.assert(
    fc.property(eventBatch, (batch) => {
      view.open(encode('EventBatch', batch));
      const values = new Map(about.map(({ name }) => [name, new Map<object | null, FieldValue>()]));
      const inner = new Map<object, Map<object | null, object | null | undefined>>();
      while (view.next()) {
        const kind = eventKinds.names[view.cursor.kind] ?? '';
        for (const { name, kinds, subject, get } of about) {
          if (kinds !== undefined && !kinds.includes(kind)) continue;
          const of = subject.of(view);
          const outer = subject.within?.of(view);
          if (outer !== undefined) {
            const known = inner.get(subject) ?? new Map<object | null, object | null | undefined>();
            inner.set(subject, known);
            if (known.has(outer)) nested++;
            assert.equal(known.has(outer) ? known.get(outer) : of, of, name);
            known.set(outer, of);
          }
          if (of === undefined) continue;
          const bySubject = values.get(name);
          if (bySubject?.has(of)) {
            repeated++;
            assert.deepEqual(get(view), bySubject.get(of), name);
          }
          bySubject?.set(of, get(view));
        }
      }
    }),
    { numRuns: 100 },
  );
  assert.ok(repeated > 1000);
  assert.ok(nested > 1000);
});
