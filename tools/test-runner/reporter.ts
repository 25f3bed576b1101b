import { Transform } from 'node:stream';
import type { EventData } from 'node:test';
import type { TestEvent } from 'node:test/reporters';
import { inspect } from 'node:util';

/** Message from the process of a test file to the runner, over the IPC channel. */
export type TestMessage =
  | { readonly type: 'pass'; readonly title: string }
  | { readonly type: 'skip'; readonly title: string; readonly reason: string }
  | { readonly type: 'fail'; readonly title: string; readonly error: string }
  /** All tests have ended; only the end of the process remains. */
  | { readonly type: 'end' };

/** Removes the wrapper that node:test adds to an error. */
function rootError(error: unknown): unknown {
  return error instanceof Error && error.cause instanceof Error ? error.cause : error;
}

function ofPass({ name, skip, details }: EventData.TestPass): TestMessage | undefined {
  if (skip !== undefined && skip !== false)
    return { type: 'skip', title: name, reason: typeof skip === 'string' && skip !== '' ? skip : 'no reason given' };
  return details.type === 'suite' ? undefined : { type: 'pass', title: name };
}

function ofFail({ name, details: { error } }: EventData.TestFail): TestMessage | undefined {
  // A suite fails because of a subtest, whose own failure has the reason.
  if ('failureType' in error && error.failureType === 'subtestsFailed') return undefined;
  return { type: 'fail', title: name, error: inspect(rootError(error), { depth: 10 }) };
}

function messageOf({ type, data }: TestEvent): TestMessage | undefined {
  if (type === 'test:pass') return ofPass(data);
  if (type === 'test:fail') return ofFail(data);
  return type === 'test:summary' ? { type: 'end' } : undefined;
}

/** A reporter for `--test-reporter`, loaded into the process of the test file. It prints nothing. */
const reporter: Transform = new Transform({
  writableObjectMode: true,
  transform(event: TestEvent, _encoding, done): void {
    const message = messageOf(event);
    if (message !== undefined) process.send?.(message);
    done();
  },
});
export default reporter;

// Tests must not outlive a killed runner. Unref, because the channel must not keep the process running.
process.once('disconnect', () => process.exit(1));
process.channel?.unref();
