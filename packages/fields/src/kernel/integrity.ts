import { leaf } from '@ringfence/wire';
import { bodyText, type Field } from '../field.ts';

const kinds = ['finding'];

/** Findings of the integrity checks of the kernel and the host. */
export const integrityFields: readonly Field[] = [
  {
    name: 'integrity.check',
    type: 'string',
    doc: 'Name of the check: syscall-dispatch, hidden-module, hidden-process, bpf-program, preload, container-name, container-unknown, …',
    kinds,
    get: bodyText(leaf.Finding.check),
  },
  {
    name: 'integrity.subject',
    type: 'string',
    doc: 'Object of the finding: a module, a path, a process, a cgroup, a system call.',
    kinds,
    get: bodyText(leaf.Finding.subject),
  },
  {
    name: 'integrity.detail',
    type: 'string',
    doc: 'Description of the problem.',
    kinds,
    get: bodyText(leaf.Finding.detail),
  },
];
