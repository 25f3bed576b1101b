import { openSqliteStore } from './sqlite.ts';
import { sinkSuite } from './suite.ts';

sinkSuite('SQLite', openSqliteStore);
