import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import test from 'node:test';
import { WriteStream } from 'node:tty';
import { paintFor } from '../src/paint.ts';

test('paintFor colours text on a terminal only, and not with NO_COLOR or TERM=dumb', () => {
  const terminal = (env: NodeJS.ProcessEnv) =>
    Object.assign(new Writable(), { isTTY: true, getColorDepth: () => WriteStream.prototype.getColorDepth(env) });
  assert.notEqual(paintFor(terminal({ TERM: 'xterm' })).red('x'), 'x');
  assert.equal(paintFor(terminal({ TERM: 'xterm', NO_COLOR: '1' })).red('x'), 'x');
  assert.equal(paintFor(terminal({ TERM: 'dumb' })).red('x'), 'x');
  assert.equal(paintFor(new Writable()).red('x'), 'x');
});
