import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import test from 'node:test';
import { LiveView } from '../src/shared/live.ts';
import { bytesText, counted } from '../src/shared/numbers.ts';

class Screen extends Writable {
  text = '';
  isTTY = true;
  rows = 10;
  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

test('a live view prints lines above its block and redraws the block below them', () => {
  const screen = new Screen();
  using view = new LiveView(screen);
  view.draw(['first', 'second']);
  screen.text = '';
  view.print('news');
  assert.equal(screen.text, '\u001b[2F\u001b[Jnews\n\u001b[?7lfirst\u001b[?7h\n\u001b[?7lsecond\u001b[?7h\n');
});

test('a live view without a terminal prints lines only, without escape sequences', () => {
  const screen = new Screen();
  screen.isTTY = false;
  using view = new LiveView(screen);
  view.draw(['status']);
  view.print('news');
  assert.equal(screen.text, 'news\n');
});

test('a size has a unit, and a count has separators and a noun', () => {
  assert.deepEqual([0, 1023, 1536, 5 * 2 ** 30].map(bytesText), ['0 B', '1023 B', '1.5 KiB', '5.0 GiB']);
  assert.deepEqual([counted(1, 'rule'), counted(1_234_567, 'rule')], ['1 rule', '1,234,567 rules']);
});
