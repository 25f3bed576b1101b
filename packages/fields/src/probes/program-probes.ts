import { leaf } from '@ringfence/wire';
import { bodyBoolean, bodyLong, bodyText, type Field, nonEmpty } from '../field.ts';

const authentication = ['authentication'];
const shell = ['shell_line'];
const tls = ['tls_data'];
const service = bodyText(leaf.Authentication.serviceBytes);
const user = bodyText(leaf.Authentication.userBytes);
const remoteHost = bodyText(leaf.Authentication.remoteHostBytes);
const tty = bodyText(leaf.Authentication.ttyBytes);
const payload = bodyText(leaf.TlsData.payloadBytes);

/** Fields of probes in programs and libraries. They are read from the memory of the process, which can forge them. */
export const probeFields: readonly Field[] = [
  {
    name: 'ringfence.pam.service',
    type: 'string',
    doc: 'PAM service that asked for authentication: sshd, login, su, sudo.',
    kinds: authentication,
    get: (event) => nonEmpty(service(event)),
  },
  {
    name: 'ringfence.pam.user',
    type: 'string',
    doc: 'User name that was given for authentication.',
    kinds: authentication,
    get: (event) => nonEmpty(user(event)),
  },
  {
    name: 'ringfence.pam.remote_host',
    type: 'string',
    doc: 'Remote host according to the service: a name or an address.',
    kinds: authentication,
    get: (event) => nonEmpty(remoteHost(event)),
  },
  {
    name: 'ringfence.pam.tty',
    type: 'string',
    doc: 'Terminal according to the service.',
    kinds: authentication,
    get: (event) => nonEmpty(tty(event)),
  },
  {
    name: 'ringfence.shell.line',
    type: 'string',
    doc: 'Line that was typed into bash or zsh, up to 4,095 bytes; no other field shows shell built-ins.',
    kinds: shell,
    get: bodyText(leaf.ShellLine.lineBytes),
  },
  {
    name: 'ringfence.tls.egress',
    type: 'bool',
    doc: 'true: the program sent the data; false: it received the data.',
    kinds: tls,
    get: bodyBoolean(leaf.TlsData.egress),
  },
  {
    name: 'ringfence.tls.payload',
    type: 'string',
    doc: 'First 1,024 bytes of one read or write through libssl, in plaintext.',
    kinds: tls,
    get: payload,
  },
  {
    name: 'ringfence.tls.bytes',
    type: 'number',
    doc: 'Bytes of this read or write.',
    kinds: tls,
    get: bodyLong(leaf.TlsData.payloadLength),
  },
];
