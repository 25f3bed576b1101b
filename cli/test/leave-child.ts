import { leave } from '../src/leave.ts';

process.stdout.write('x'.repeat(Number(process.argv[2])));
process.exitCode = 3;
await leave();
