const LOG = 'is about lines of a log: its table has real ones';
const MODULE = 'would change the running kernel';
const INTEGRITY = 'a machine that is well has no such finding: test/kernels has guests that do';
const PRIVILEGED = 'a container can be given all rights only where root itself has them';
const PROBE = "needs a probe in somebody's shell or PAM, which is off unless it is asked for";
const MACHINE = 'is about the machine as a whole, and no namespace keeps it apart';

/** Rules without a recording, and why their events are made up (test/). */
export const MADE_UP: Readonly<Record<string, string>> = {
  'SSH password guessing': LOG,
  'Local password guessing': PROBE,
  'SSH password spraying': LOG,
  'Agent attacked': 'the agent that is attacked would be the one that records',
  'Agent fell silent': 'is told by the enricher, not by an agent',
  'Privileged container started': PRIVILEGED,
  'Root login over SSH with a password': LOG,
  'Login from the internet with a password': LOG,
  'Attack on a library seen in a log': LOG,
  'Protection of the kernel switched off': MACHINE,
  'Kernel module loaded from an unusual place': MODULE,
  'User added to a group of administrators': LOG,
  'Login account created': LOG,
  'Library loaded into every program': INTEGRITY,
  'Sudo refused several times': LOG,
  "Kernel starts somebody's program": INTEGRITY,
  'Logins guessed, then one that worked': LOG,
  'Sudo refused, then allowed': LOG,
  'Account made, then given the rights of root': LOG,
  'Account made, then used': LOG,
  'Key planted, then used': LOG,
  'Helper of the kernel named by a container, then run': MACHINE,
  "Runtime's socket used, then a privileged container": PRIVILEGED,
  'Shell history switched off': PROBE,
  'Kernel hides something': INTEGRITY,
};
