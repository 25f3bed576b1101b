const MODULE = 'would change the running kernel';
const INTEGRITY = 'a machine that is well has no such finding: test/kernels has guests that do';
const PRIVILEGED = 'a container can be given all rights only where root itself has them';
const MACHINE = 'is about the machine as a whole, and no namespace keeps it apart';

/** Rules without a recording, and why their events are made up (test/). */
export const MADE_UP: Readonly<Record<string, string>> = {
  'Agent attacked': 'the agent that is attacked would be the one that records',
  'Agent fell silent': 'is told by the enricher, not by an agent',
  'Privileged container started': PRIVILEGED,
  'Protection of the kernel switched off': MACHINE,
  'Kernel module loaded from an unusual place': MODULE,
  'Library loaded into every program': INTEGRITY,
  "Kernel starts somebody's program": INTEGRITY,
  'Helper of the kernel named by a container, then run': MACHINE,
  "Runtime's socket used, then a privileged container": PRIVILEGED,
  'Kernel hides something': INTEGRITY,
};
