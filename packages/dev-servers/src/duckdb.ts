import { cached, digest, inCache } from './cache.ts';
import { TestServerError } from './errors.ts';
import { findProgram, runTool } from './run-tool.ts';

const WHEEL = 'duckdb==1.4.4';
/** Prints the rows of a query as JSON; values that JSON lacks, such as times, as text. */
const QUERY = `
import duckdb, json, sys
result = duckdb.sql(sys.argv[1])
print(json.dumps([dict(zip(result.columns, row)) for row in result.fetchall()], default=str))
`;

/** Returns the reason why DuckDB can't be used; undefined when it can. */
export function duckdbMissing(): string | undefined {
  if (findProgram('python3') === undefined) return 'no python3 for DuckDB: install python3';
  if (inCache('duckdb', digest(WHEEL)) !== undefined || findProgram('pip3', 'pip') !== undefined) return undefined;
  return 'no pip to bring DuckDB: install python3-pip';
}

/** Returns the rows of a SQL query by DuckDB, which pip fetches once into the cache. */
export async function queryDuckdb(sql: string): Promise<Record<string, unknown>[]> {
  const pip = findProgram('pip3', 'pip');
  const directory = await cached('duckdb', digest(WHEEL), async (place) => {
    if (pip === undefined) throw new TestServerError('ERR_TESTKIT_DUCKDB', duckdbMissing() ?? 'no pip');
    await runTool(pip, ['install', '--quiet', '--no-deps', '--only-binary', ':all:', '--target', place, WHEEL]);
  });
  const printed = await runTool('python3', ['-c', QUERY, sql], { env: { ...process.env, PYTHONPATH: directory } });
  return JSON.parse(printed) as Record<string, unknown>[];
}
