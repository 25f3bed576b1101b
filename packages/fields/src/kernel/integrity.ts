import { leaf } from '@ringfence/wire';
import { bodyText, type Field } from '../field.ts';

const kinds = ['finding'];
const check = bodyText(leaf.Finding.check);
const subject = bodyText(leaf.Finding.subject);
const detail = bodyText(leaf.Finding.detail);
const list = bodyText(leaf.Finding.list);

/** Findings of the integrity checks of the kernel and the host. */
export const integrityFields: readonly Field[] = [
  {
    name: 'integrity.check',
    type: 'string',
    doc: 'Name of the check: syscall-dispatch, hidden-module, hidden-process, bpf-program, preload, container-name, container-unknown, …',
    kinds,
    get: check,
  },
  {
    name: 'integrity.subject',
    type: 'string',
    doc: 'Object of the finding: a module, a path, a process, a cgroup, a system call.',
    kinds,
    get: subject,
  },
  {
    name: 'integrity.detail',
    type: 'string',
    doc: 'Description of the problem.',
    kinds,
    get: detail,
  },
  {
    name: 'integrity.list',
    type: 'string',
    doc: 'Check, subject and detail of the finding; on the first of several findings of one run on what the kernel hides (system calls, interrupts, modules, processes), of all of them.',
    kinds,
    get: (event) => list(event) || `${check(event)} ${subject(event)}: ${detail(event)}`,
  },
];
