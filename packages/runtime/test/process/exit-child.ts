import { exitAfterFlush } from '../../src/process/shutdown.ts';

process.stdout.write('x'.repeat(Number(process.argv[2])));
process.exitCode = 3;
await exitAfterFlush();
