import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startVictoriaLogs, victoriaLogsMissing } from '../src/victoria-logs.ts';

test('a VictoriaLogs returns what it was sent, also after a restart', {
  skip: victoriaLogsMissing() ?? false,
}, async () => {
  await using server = await startVictoriaLogs();
  const line = { _time: '2026-01-01T00:00:00Z', _msg: 'hello', n: '1' };
  await fetch(`${server.url}/insert/jsonline`, { method: 'POST', body: JSON.stringify(line) });
  const values = async (): Promise<(string | undefined)[]> => (await server.query('n:=1')).map(({ _msg }) => _msg);
  assert.deepEqual(await values(), ['hello']);
  await server.stop();
  await server.start();
  assert.deepEqual(await values(), ['hello']);
});
