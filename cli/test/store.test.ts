import assert from 'node:assert/strict';
import test from 'node:test';
import { loadConfig } from '@ringfence/config';
import { EnricherStateError } from '@ringfence/enricher';
import { withStore } from '../src/app/run.ts';
import { CliError } from '../src/errors.ts';

const config = loadConfig({ file: '/dev/null', env: { RINGFENCE_STATE_DIR: '/srv/state' } });

test('what a service remembered and cannot be read is told with the file that it lies in, and how to start without it', () => {
  const told = withStore(new EnricherStateError('host/boot/p/1', new Error('truncated buffer')), config);
  assert.ok(told instanceof CliError);
  assert.match(
    told.message,
    /host\/boot\/p\/1.*truncated buffer.*run the version that wrote it.*mv \/srv\/state\/bus\.db /,
  );
});

test('any other error is told as it is', () => {
  const error = new Error('else');
  assert.equal(withStore(error, config), error);
});
