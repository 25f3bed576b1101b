/** Takes a file, or gives it back, and kills itself at a point: `crash-child.ts VAULT POINT take|undo JSON`. */
import { quarantineKind } from '../../src/files/quarantine.ts';
import { RunKind } from './run-kind.ts';

const [vault = '', point, what, text = ''] = process.argv.slice(2);
const failpoint = (reached: string): void => {
  if (reached === point) process.kill(process.pid, 'SIGKILL');
};
const quarantine = new RunKind(quarantineKind({ vault, failpoint }));
if (what === 'take') await quarantine.run(JSON.parse(text));
else await quarantine.undo(text);
