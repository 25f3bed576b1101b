import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLogger, type LogOptions } from '../src/index.ts';

function collect(options: Omit<LogOptions, 'stream'>) {
  const written: string[] = [];
  const log = createLogger({ ...options, stream: { write: (text) => written.push(text) } });
  return { log, written };
}

describe('createLogger', () => {
  it('writes JSON records with the level name and an ISO time', () => {
    const { log, written } = collect({ format: 'json' });
    log.child({ service: 'detector' }).warn({ lag: 3 }, 'behind');
    const record = JSON.parse(written[0] ?? '');
    assert.match(record.time, /^\d{4}-\d\d-\d\dT/);
    assert.deepEqual({ ...record, time: '' }, { level: 'warn', time: '', service: 'detector', lag: 3, msg: 'behind' });
  });

  it('writes lines for people', () => {
    const { log, written } = collect({ format: 'lines' });
    log.child({ service: 'bus' }).error({ path: '/var/lib/my bus', bytes: 7 }, 'disk full');
    assert.match(written[0] ?? '', /^\d\d:\d\d:\d\d\.\d{3} ERROR bus: disk full path="\/var\/lib\/my bus" bytes=7\n$/);
  });

  it('writes lists without the marks of JSON', () => {
    const { log, written } = collect({ format: 'lines' });
    log.info({ hooks: ['dup_exit', 'dup2_exit'], full: [], paths: ['/a b', '/c'], groups: [{ id: 1 }] }, 'in place');
    assert.match(
      written[0] ?? '',
      / INFO {2}in place hooks=dup_exit,dup2_exit full=none paths="\/a b",\/c groups=\[{"id":1}\]\n$/,
    );
  });

  it('drops records below its level', () => {
    const { log, written } = collect({ level: 'warn' });
    log.info({}, 'quiet');
    assert.deepEqual(written, []);
  });

  it('redacts secrets at every supported depth', () => {
    for (const format of ['json', 'lines'] as const) {
      const { log, written } = collect({ format });
      log.info(
        { token: 'hunter2', metrics: { token: 'hunter2' }, config: { bus: { password: 'hunter2' } } },
        'settings',
      );
      assert.doesNotMatch(written.join(''), /hunter2/);
    }
  });

  it('escapes control characters, line breaks and direction marks', () => {
    const { log, written } = collect({ format: 'lines' });
    log.info({ argv: '\x1b[2J\n\u202egnp.exe', err: new Error('bad\x07\nERROR forged') }, 'exec \x1b]0;x\x07');
    const text = written.join('');
    assert.doesNotMatch(text.replaceAll('\n', ''), /[\p{Cc}\u202e]/u);
    assert.doesNotMatch(text, /^ERROR/m);
    assert.match(text, /exec \\x1b\]0;x\\x07/);
  });

  it('shows an error with its message and its stack', () => {
    const { log, written } = collect({ format: 'lines' });
    log.error({ err: new Error('no room') }, 'commit failed');
    assert.match(written.join(''), /commit failed error="no room"\n\s+at /);
  });
});
