import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { OperatorError } from '@ringfence/base';
import { loadConfig } from '@ringfence/config';
import { EnricherStateError } from '@ringfence/enricher';
import { withStateFile } from '../../src/deployment/unreadable-state.ts';

const config = loadConfig({ file: '/dev/null', env: { RINGFENCE_STATE_DIR: '/srv/state' } });

test('an error about unreadable state names the file that holds it, and the command to start without it', () => {
  const error = withStateFile(new EnricherStateError('host/boot/p/1', new Error('truncated buffer')), config);
  assert.ok(error instanceof OperatorError);
  assert.match(
    error.message,
    /host\/boot\/p\/1.*truncated buffer.*run the version that wrote it.*mv '\/srv\/state\/bus\.db' '\/srv\/state\/bus\.db\.old'/,
  );
});

test('the command to start without the state quotes any path', () => {
  const text = 'a shell keeps: it\'s $HOME "and" more';
  const state = `/srv/${text}`;
  const config = loadConfig({ file: '/dev/null', env: { RINGFENCE_STATE_DIR: state } });
  const { message } = withStateFile(
    new EnricherStateError('host/boot/p/1', new Error('truncated buffer')),
    config,
  ) as Error;
  const [, paths = ''] = /mv (.*?)\. This also removes/.exec(message) ?? [];
  const { stdout } = spawnSync('sh', ['-c', `printf '%s\\n' ${paths}`], { encoding: 'utf8' });
  assert.deepEqual(stdout.trimEnd().split('\n'), [`${state}/bus.db`, `${state}/bus.db.old`]);
});

test('any other error is returned as it is', () => {
  const error = new Error('unrelated');
  assert.equal(withStateFile(error, config), error);
});
