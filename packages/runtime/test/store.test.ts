import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { OperatorError } from '@ringfence/base';
import { loadConfig } from '@ringfence/config';
import { EnricherStateError } from '@ringfence/enricher';
import { withStore } from '../src/store.ts';

const config = loadConfig({ file: '/dev/null', env: { RINGFENCE_STATE_DIR: '/srv/state' } });

test('what a service remembered and cannot be read is told with the file that it lies in, and how to start without it', () => {
  const told = withStore(new EnricherStateError('host/boot/p/1', new Error('truncated buffer')), config);
  assert.ok(told instanceof OperatorError);
  assert.match(
    told.message,
    /host\/boot\/p\/1.*truncated buffer.*run the version that wrote it.*mv '\/srv\/state\/bus\.db' '\/srv\/state\/bus\.db\.old'/,
  );
});

test('the command to start anew takes any path whole', () => {
  const text = 'a shell keeps: it\'s $HOME "and" more';
  const state = `/srv/${text}`;
  const odd = loadConfig({ file: '/dev/null', env: { RINGFENCE_STATE_DIR: state } });
  const told = withStore(new EnricherStateError('host/boot/p/1', new Error('truncated buffer')), odd) as Error;
  const [, words = ''] = /mv (.*?)\. All that goes/.exec(told.message) ?? [];
  const { stdout } = spawnSync('sh', ['-c', `printf '%s\\n' ${words}`], { encoding: 'utf8' });
  assert.deepEqual(stdout.trimEnd().split('\n'), [`${state}/bus.db`, `${state}/bus.db.old`]);
});

test('any other error is told as it is', () => {
  const error = new Error('else');
  assert.equal(withStore(error, config), error);
});
