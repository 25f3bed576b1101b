import { leaf } from '@ringfence/wire';
import { bodyText, type Field } from '../field.ts';

const kinds = ['finding'];

/** Fields of findings of the integrity checks of kernel and host. */
export const integrityFields: readonly Field[] = [
  {
    name: 'integrity.check',
    type: 'string',
    doc: 'Which check: syscall-dispatch, hidden-module, hidden-process, bpf-program, preload, …',
    kinds,
    get: bodyText(leaf.Finding.check),
  },
  {
    name: 'integrity.subject',
    type: 'string',
    doc: 'Subject of the finding: a module, a path, a process, a system call.',
    kinds,
    get: bodyText(leaf.Finding.subject),
  },
  {
    name: 'integrity.detail',
    type: 'string',
    doc: 'What is wrong with the subject.',
    kinds,
    get: bodyText(leaf.Finding.detail),
  },
];
