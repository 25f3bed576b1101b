import type { TestProcess } from '@ringfence/testkit';
import type { Machine } from './machine.ts';

/** A step of an attack. It calls `passTime` for each machine that it changes, to set that machine's clock. */
export type AttackStep = (passTime: (machine: Machine) => void) => void;

/** Enters by the web server, becomes root, reads the password hashes and plants a cron job. */
export function attackOneHost(web: Machine): AttackStep[] {
  let shell: TestProcess;
  let implant: TestProcess;
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

/** Enters by the web server, logs in to a second machine by SSH, and continues there. */
export function attackTwoHosts(web: Machine, target: Machine): AttackStep[] {
  let shell: TestProcess;
  let implant: TestProcess;
  let remoteShell: TestProcess;
  return [
    () => {
      shell = web.webShell();
    },
    () => {
      implant = web.implant(shell);
    },
    () => {
      remoteShell = web.login(implant, target);
    },
    () => target.readHashes(remoteShell),
    () => target.plantJob(remoteShell),
  ].map((step) => (passTime) => {
    passTime(web);
    passTime(target);
    step();
  });
}
