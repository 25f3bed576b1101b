import type { SyntheticProcess } from '@ringfence/synthetic';
import type { Machine } from './machine.ts';

/** What happens next; the machine it happens on has its clock right. */
export type AttackStep = (passTime: (machine: Machine) => void) => void;

/** In by the web server, root, the password hashes, and a job to come back. */
export function attackOnOne(web: Machine): AttackStep[] {
  let shell: SyntheticProcess;
  let implant: SyntheticProcess;
  return [
    () => {
      shell = web.webShell();
    },
    () => {
      implant = web.implant(shell);
    },
    () => web.becomeRoot(implant),
    () => web.readHashes(implant),
    () => web.plantJob(implant),
  ].map((step) => (passTime) => {
    passTime(web);
    step();
  });
}

/** The same way in, then by SSH to a second machine, where the rest happens. */
export function attackOnTwo(web: Machine, other: Machine): AttackStep[] {
  let shell: SyntheticProcess;
  let implant: SyntheticProcess;
  let there: SyntheticProcess;
  return [
    () => {
      shell = web.webShell();
    },
    () => {
      implant = web.implant(shell);
    },
    () => {
      there = web.login(implant, other);
    },
    () => other.readHashes(there),
    () => other.plantJob(there),
  ].map((step) => (passTime) => {
    passTime(web);
    passTime(other);
    step();
  });
}
