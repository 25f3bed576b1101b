import assert from 'node:assert/strict';
import { test } from 'node:test';
import { duckdbMissing, queryDuckdb } from '../src/duckdb.ts';
import { s3Missing, startS3 } from '../src/s3.ts';

test('an S3 server refuses a request without a signature', { skip: s3Missing() ?? false }, async () => {
  await using server = await startS3();
  const response = await fetch(`${server.url}/object`, { method: 'PUT', body: 'x' });
  assert.equal(response.status, 403);
  assert.match(await response.text(), /AccessDenied/);
  assert.deepEqual(server.objects(), []);
});

test('DuckDB returns the rows of a query', { skip: duckdbMissing() ?? false }, async () => {
  assert.deepEqual(await queryDuckdb("select 1 as a, 'x' as b"), [{ a: 1, b: 'x' }]);
});
