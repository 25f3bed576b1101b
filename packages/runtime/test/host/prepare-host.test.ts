import assert from 'node:assert/strict';
import test from 'node:test';
import { OperatorError, silentLog } from '@ringfence/base';
import { loadConfig } from '@ringfence/config';
import { prepareHost } from '../../src/host/prepare-host.ts';

test('an unsupported kernel is refused before any mount', () => {
  assert.throws(
    () => prepareHost(silentLog, loadConfig({ file: '/dev/null', env: {} }), '5.15.0'),
    (error: unknown) => error instanceof OperatorError && /Linux 5\.15\.0 is too old/.test(error.message),
  );
});
