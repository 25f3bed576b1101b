import { Transform } from 'node:stream';
import type { EventData } from 'node:test';
import type { TestEvent } from 'node:test/reporters';
import { inspect } from 'node:util';

/** What a test file's process tells the runner, over its IPC channel. */
export type TestMessage =
  | { readonly type: 'pass'; readonly title: string }
  | { readonly type: 'skip'; readonly title: string; readonly reason: string }
  | { readonly type: 'fail'; readonly title: string; readonly error: string }
  /** all tests are done; what is left is the end of the process */
  | { readonly type: 'end' };

/** What node:test puts around the real error. */
function rootError(error: unknown): unknown {
  return error instanceof Error && error.cause instanceof Error ? error.cause : error;
}

function ofPass({ name, skip, details }: EventData.TestPass): TestMessage | undefined {
  if (skip !== undefined && skip !== false)
    return { type: 'skip', title: name, reason: typeof skip === 'string' && skip !== '' ? skip : 'no reason given' };
  return details.type === 'suite' ? undefined : { type: 'pass', title: name };
}

function ofFail({ name, details: { error } }: EventData.TestFail): TestMessage | undefined {
  // A parent fails because a child did; the child says why.
  if ('failureType' in error && error.failureType === 'subtestsFailed') return undefined;
  return { type: 'fail', title: name, error: inspect(rootError(error), { depth: 10 }) };
}

function messageOf({ type, data }: TestEvent): TestMessage | undefined {
  if (type === 'test:pass') return ofPass(data);
  if (type === 'test:fail') return ofFail(data);
  return type === 'test:summary' ? { type: 'end' } : undefined;
}

/** A reporter of node:test (--test-reporter), loaded into the test file's process. It prints nothing. */
const reporter: Transform = new Transform({
  writableObjectMode: true,
  transform(event: TestEvent, _encoding, done): void {
    const message = messageOf(event);
    if (message !== undefined) process.send?.(message);
    done();
  },
});
export default reporter;

// Whoever kills the runner must not leave the tests running. The channel alone keeps no process up.
process.once('disconnect', () => process.exit(1));
process.channel?.unref();
