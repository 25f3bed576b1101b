import assert from 'node:assert/strict';
import test from 'node:test';
import { type Call, CallMatcher, type TraceEvent } from '../src/call-matcher.ts';
import { KIND, STATE, type TraceRecord } from '../src/record.ts';

const NONE = { bytes: Buffer.alloc(0), state: STATE.none };

function record(changes: Partial<TraceRecord>): TraceRecord {
  const texts = Array.from({ length: 6 }, () => NONE);
  const base = { kind: KIND.enter, time: 0n, tgid: 1, tid: 1, number: 0, compat: false, last: false, name: 'x' };
  return { ...base, result: 0n, arguments: [0n, 0n, 0n, 0n, 0n, 0n], texts, ...changes };
}

function callOf(event: TraceEvent | undefined): Call {
  assert.ok(event !== undefined && 'call' in event);
  return event.call;
}

test('the records of entry and return are one call', () => {
  const matcher = new CallMatcher();
  assert.deepEqual(matcher.add(record({ number: 3, time: 5n })), []);
  const [event] = matcher.add(record({ kind: KIND.exit, number: 3, time: 9n, result: 1n }));
  const { result, duration } = callOf(event);
  assert.deepEqual([result, duration], [1n, 4n]);
});

test('a call that began before the trace has no duration', () => {
  const [event] = new CallMatcher().add(record({ kind: KIND.exit, number: 4, time: 9n, result: 2n }));
  const call = callOf(event);
  assert.deepEqual([call.record.number, call.result, call.duration], [4, 2n, null]);
});

test('a call whose return was lost ends without a result at the next record of its thread', () => {
  const matcher = new CallMatcher();
  matcher.add(record({ number: 5 }));
  const [lost, ...rest] = matcher.add(record({ number: 6 }));
  assert.deepEqual([callOf(lost).record.number, callOf(lost).result, rest], [5, null, []]);
  const [exited, processEnd] = matcher.add(record({ kind: KIND.gone, last: true }));
  assert.deepEqual([callOf(exited).record.number, callOf(exited).result], [6, null]);
  assert.ok(processEnd !== undefined && 'processEnd' in processEnd);
  assert.deepEqual(matcher.unfinished(), []);
});

test('sigreturn returns although the kernel no longer knows its number', () => {
  const matcher = new CallMatcher();
  matcher.add(record({ number: 15 }));
  const [event] = matcher.add(record({ kind: KIND.exit, number: 0xffff_ffff, result: 7n }));
  assert.deepEqual([callOf(event).record.number, callOf(event).result], [15, 7n]);
});

test('a text that was not readable at the entry is taken from the return', () => {
  const matcher = new CallMatcher();
  matcher.add(record({ texts: [{ bytes: Buffer.alloc(0), state: STATE.unreadable }] }));
  const [event] = matcher.add(record({ kind: KIND.exit, texts: [{ bytes: Buffer.from('x'), state: STATE.whole }] }));
  assert.equal(callOf(event).texts[0]?.bytes.toString(), 'x');
});
