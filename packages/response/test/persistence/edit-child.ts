/** Edits a file, or takes that back, and kills itself at a point: `edit-child.ts ROOT POINT apply|undo JSON`. */
import { join } from 'node:path';
import { revertKind } from '../../src/persistence/revert.ts';
import { RunKind } from '../files/run-kind.ts';

const [hostRoot = '', point, what, text = ''] = process.argv.slice(2);
const failpoint = (reached: string): void => {
  if (reached === point) process.kill(process.pid, 'SIGKILL');
};
const vault = join(hostRoot, '../vault');
const revert = new RunKind(revertKind({ vault, hostRoot, systemctl: null, failpoint }));
if (what === 'apply') await revert.run(JSON.parse(text));
else await revert.undo(text);
