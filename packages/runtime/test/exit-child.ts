import { exitAfterFlush } from '../src/process/exit.ts';

process.stdout.write('x'.repeat(Number(process.argv[2])));
process.exitCode = 3;
await exitAfterFlush();
